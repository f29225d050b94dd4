import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  type DescribeMapRunCommandOutput,
  ListMapRunsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { LookalikeError } from '@lookalike/store';
import type { ObjectBatchReport } from './object-batch.ts';

/** What the state machine of a deployment is started with. */
export interface BucketRun {
  bucket: string;
  /** Of keys; empty: all of the bucket. */
  prefix: string;
  collection: string;
  /** The `manifest.json` of an S3 Inventory to take the keys from, instead of listing. */
  inventory?: { bucket: string; key: string };
}

export interface RunProgress {
  /** Objects handed out so far; grows while the bucket is being listed. */
  total: number;
  done: number;
  /** Of those done, objects in batches that failed as a whole. A run bears a few such batches, and its results do not name them. */
  failed: number;
}

/** Milliseconds between two looks at a run. */
const pause = 2000;

/** With region, credentials and endpoints as the AWS SDK finds them. */
export function openRunClients(): { sfn: SFNClient; s3: S3Client } {
  return { sfn: new SFNClient({}), s3: new S3Client({}) };
}

/** `deployment`: the name of a deployment (`-c name=…`), or the ARN of its state machine. Throws `unknown-deployment`. */
export async function findBucketIngest(client: SFNClient, deployment: string): Promise<string> {
  if (deployment.startsWith('arn:')) return deployment;
  const name = stateMachineName(deployment);
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListStateMachinesCommand({ nextToken }));
    const found = page.stateMachines?.find((machine) => machine.name === name);
    if (found?.stateMachineArn !== undefined) return found.stateMachineArn;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  throw new LookalikeError(
    'unknown-deployment',
    `no state machine ${name} in this account and Region: is the deployment called ${deployment}?`,
  );
}

export function stateMachineName(deployment: string): string {
  return `${deployment}-bucket-ingest`;
}

/** The ARN of the run. */
export async function startBucketRun(
  client: SFNClient,
  stateMachineArn: string,
  run: BucketRun,
): Promise<string> {
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(run) }),
  );
  return executionArn as string;
}

/**
 * Looks at the run until it has ended. Resolves with its output.
 * @throws `LookalikeError('run-failed')` with the reason that Step Functions gives; the reason of `signal`: then the run goes on.
 */
export async function followBucketRun(
  client: SFNClient,
  executionArn: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: RunProgress) => void },
): Promise<string> {
  for (;;) {
    const { status, output, error, cause } = await client.send(
      new DescribeExecutionCommand({ executionArn }),
    );
    const progress = await progressOf(client, executionArn);
    if (progress !== undefined) onProgress(progress);
    if (status === 'SUCCEEDED') return output ?? '{}';
    if (status !== 'RUNNING' && status !== 'PENDING_REDRIVE')
      throw new LookalikeError(
        'run-failed',
        `the run ${executionArn} ended as ${status}: ${error ?? ''} ${cause ?? ''}`,
      );
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function progressOf(client: SFNClient, executionArn: string): Promise<RunProgress | undefined> {
  const { mapRuns } = await client.send(new ListMapRunsCommand({ executionArn }));
  const mapRunArn = mapRuns?.[0]?.mapRunArn;
  if (mapRunArn === undefined) return undefined;
  const { itemCounts }: DescribeMapRunCommandOutput = await client.send(
    new DescribeMapRunCommand({ mapRunArn }),
  );
  const { total = 0, succeeded = 0, failed = 0, timedOut = 0, aborted = 0 } = itemCounts ?? {};
  const lost = failed + timedOut + aborted;
  return { total, done: succeeded + lost, failed: lost };
}

/** Adds up what the batches of a run that has ended say. `output` is that of the run. */
export async function readRunReport(s3: S3Client, output: string): Promise<ObjectBatchReport> {
  const report: ObjectBatchReport = { stored: 0, replaced: 0, current: 0, deleted: 0, refused: [] };
  const { ResultWriterDetails: written } = JSON.parse(output) as {
    ResultWriterDetails?: { Bucket: string; Key: string };
  };
  if (written === undefined) return report;
  const read = async (Key: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: written.Bucket, Key }));
    return (await Body?.transformToString()) ?? '';
  };
  const { ResultFiles } = JSON.parse(await read(written.Key)) as {
    ResultFiles: { SUCCEEDED?: { Key: string }[] };
  };
  for (const { Key } of ResultFiles.SUCCEEDED ?? []) {
    for (const line of (await read(Key)).split('\n')) {
      if (line === '') continue;
      const batch = JSON.parse(line) as ObjectBatchReport;
      report.stored += batch.stored;
      // A deployment of an earlier build counts it as stored.
      report.replaced += batch.replaced ?? 0;
      report.current += batch.current;
      report.deleted += batch.deleted;
      report.refused.push(...batch.refused);
    }
  }
  return report;
}
