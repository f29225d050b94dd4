import type { RunProgress } from '@lookalike/ingest/bucket-run';
import { LookalikeError } from '@lookalike/store';
import type { IngestResult } from './ingest-pictures.ts';
import { note } from './output.ts';

export interface AwsIngestOptions {
  /** Name of the deployment, or the ARN of its state machine. */
  deployment: string;
  collection: string;
  /** `s3://bucket/…/manifest.json` of an S3 Inventory. */
  inventory?: string;
  signal: AbortSignal;
  onProgress: (progress: RunProgress) => void;
}

/**
 * Has the functions of a deployment ingest `s3://bucket/prefix`: no picture passes through this machine. Interrupted, the run goes
 * on without being watched.
 * @throws LookalikeError `unknown-deployment`, `run-failed`, `invalid-data`.
 */
export async function ingestOnAws(location: string, options: AwsIngestOptions): Promise<IngestResult> {
  const { deployment, collection, inventory, signal, onProgress } = options;
  const { findBucketIngest, followBucketRun, openRunClients, readRunReport, startBucketRun } = await import(
    '@lookalike/ingest/bucket-run'
  );
  const { bucket, key: prefix } = addressOf(location);
  const run = { bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`, collection };
  const { sfn, s3 } = openRunClients();
  const machine = await findBucketIngest(sfn, deployment);
  const arn = await startBucketRun(sfn, machine, {
    ...run,
    ...(inventory === undefined ? {} : { inventory: addressOf(inventory) }),
  });
  note(`Started ${arn}`);
  const left = () => note('The run goes on in AWS; "aws stepfunctions stop-execution" ends it.');
  signal.addEventListener('abort', left, { once: true });
  let failed = 0;
  const output = await followBucketRun(sfn, arn, {
    signal,
    onProgress: (progress) => {
      failed = progress.failed;
      onProgress(progress);
    },
  });
  signal.removeEventListener('abort', left);
  const { stored, replaced, current, refused } = await readRunReport(s3, output);
  const errors = refused.map(({ key, message }) => ({ path: key, error: message }));
  if (failed > 0) {
    const error = `${failed} objects were in batches that failed, and may be missing: run it again, or see ${arn}`;
    errors.push({ path: location, error });
  }
  return { stored, replaced, unchanged: current, similar: [], errors };
}

function addressOf(location: string): { bucket: string; key: string } {
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(location) ?? [];
  if (bucket === undefined)
    throw new LookalikeError('invalid-data', `${location} names no bucket, expected s3://bucket/prefix`);
  return { bucket, key };
}
