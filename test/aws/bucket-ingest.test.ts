import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeployment } from '../../infra/src/deployment.ts';
import { runCommand } from '../../packages/cli/src/test-command.ts';
import { stateMachineName } from '../../packages/ingest/src/bucket-run.ts';
import { badPictures, differentPictures } from './drop-pictures.ts';
import { ADMIN_KEY, Cloud } from './loopback/cloud.ts';
import { callFunctionUrl } from './loopback/function-url.ts';
import type { Definition } from './loopback/state-machine.ts';
import { StatesServer } from './loopback/states-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-run-'));
let cloud: Cloud;
let states: StatesServer;

interface MachineProperties {
  StateMachineName: string;
  DefinitionString: { 'Fn::Join': [string, (string | object)[]] };
}

/** The state machine exactly as it is deployed; references become names of this test. */
function deployedMachine(): { name: string; definition: Definition } {
  const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  mkdirSync(join(folder, 'bundle'));
  writeFileSync(join(folder, 'bundle/package.json'), '{}');
  const bundle = { directory: join(folder, 'bundle'), hash: 'a'.repeat(64) };
  const { service } = createDeployment(bundle, { context, outdir: join(folder, 'out') });
  const [machine] = Object.values(
    Template.fromStack(service).findResources('AWS::StepFunctions::StateMachine'),
  );
  const { StateMachineName: name, DefinitionString } = (machine as { Properties: MachineProperties })
    .Properties;
  const parts = DefinitionString['Fn::Join'][1].map((part) => {
    if (typeof part === 'string') return part;
    if ('Fn::GetAtt' in part) return 'arn:aws:lambda:us-east-1:000000000000:function:embed-objects';
    return 'Ref' in part ? 'aws' : 'data';
  });
  return { name, definition: JSON.parse(parts.join('')) as Definition };
}

beforeAll(async () => {
  cloud = await Cloud.start();
  states = await StatesServer.start(deployedMachine(), cloud.world);
  cloud.s3.buckets.set('archive', new Map());
}, 120_000);

afterAll(async () => {
  await states.close();
  await cloud.stop();
  rmSync(folder, { recursive: true });
});

async function ingest(...args: string[]) {
  const env = { ...cloud.env, AWS_ENDPOINT_URL_SFN: states.url };
  const { status, stdout, stderr } = await runCommand(
    ['ingest', ...args, '--deployment', 'lookalike', '--json'],
    { env },
  );
  return { status, stderr, report: stdout === '' ? undefined : JSON.parse(stdout) };
}

async function idsOf(collection: string): Promise<string[]> {
  const path = `/v1/collections/${collection}/items?limit=1000`;
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const { text } = await callFunctionUrl(cloud.function('api-event', 'stream'), {
    method: 'GET',
    path,
    headers,
  });
  return JSON.parse(text).items.map(({ id }: { id: string }) => id);
}

describe('lookalike ingest s3://… with a deployment', () => {
  test('runs the deployed state machine over the prefix, and says what became of each object', async () => {
    const pictures = await differentPictures(12);
    pictures.forEach((picture, at) => {
      cloud.s3.write('archive', `2024/set ${at % 3}/picture+${at} ä.jpg`, picture);
    });
    const bad = (await badPictures()).map(({ name, body }) => [`2024/bad/${name}`, body] as const);
    // More than one batch has room for.
    const notes = Array.from(
      { length: 40 },
      (_, at) => [`2024/notes/${at}.txt`, Buffer.from('a note')] as const,
    );
    for (const [key, body] of [...bad, ...notes]) cloud.s3.write('archive', key, body);
    cloud.s3.write('archive', '2023/other.jpg', pictures[0] as Buffer);
    const first = await ingest('s3://archive/2024', '--collection', 'archive');
    expect(first).toMatchObject({ status: 0, report: { collection: 'archive', stored: 12, unchanged: 0 } });
    expect(first.report.errors.map(({ path }: { path: string }) => path).sort()).toEqual(
      [...bad, ...notes].map(([key]) => key).sort(),
    );
    expect(first.stderr).toMatch(/^Started arn:aws:states:/m);
    const ids = await idsOf('archive');
    expect(ids).toHaveLength(12);
    expect(ids).toContain('set 0/picture+0 ä.jpg');
    const again = await ingest('s3://archive/2024/', '--collection', 'archive');
    expect(again.report).toMatchObject({ stored: 0, unchanged: 12 });
    cloud.s3.write('archive', '2024/set 1/picture+1 ä.jpg', pictures[2] as Buffer);
    const changed = await ingest('s3://archive/2024/', '--collection', 'archive');
    expect(changed.report).toMatchObject({ stored: 0, replaced: 1, unchanged: 11 });
  }, 600_000);

  test('takes keys from an S3 Inventory, which has them percent-encoded and of the whole bucket', async () => {
    const keys = [...(cloud.s3.buckets.get('archive')?.keys() ?? [])].filter((key) => /\/set \d\//.test(key));
    const lines = keys.map((key) => `"archive","${encodeURIComponent(key).replaceAll('%2F', '/')}"\n`);
    cloud.s3.write('archive', 'inventory/data/1.csv', Buffer.from(lines.join('')));
    const manifest = {
      sourceBucket: 'archive',
      fileFormat: 'CSV',
      fileSchema: 'Bucket, Key',
      files: [{ key: 'inventory/data/1.csv' }],
    };
    cloud.s3.write('archive', 'inventory/manifest.json', Buffer.from(JSON.stringify(manifest)));
    const { status, report } = await ingest(
      's3://archive/2024/set 1',
      '--collection',
      'by-inventory',
      '--inventory',
      's3://archive/inventory/manifest.json',
    );
    expect({ status, report }).toMatchObject({ status: 0, report: { stored: 4, errors: [] } });
    const ids = await idsOf('by-inventory');
    expect(ids).toHaveLength(4);
    expect(ids).toContain('picture+1 ä.jpg');
  }, 600_000);

  test('tells archived objects, and how many were in a batch that failed as a whole', async () => {
    for (let at = 0; at < 100; at++) cloud.s3.write('archive', `2022/${at}.txt`, Buffer.from('a note'));
    const [archived, good, unreadable] = (await differentPictures(3)) as [Buffer, Buffer, Buffer];
    const deep = { Bucket: 'archive', Key: '2022/0.jpg', StorageClass: 'DEEP_ARCHIVE' } as const;
    await cloud.s3Client.send(new PutObjectCommand({ ...deep, Body: archived }));
    cloud.s3.write('archive', '2022/1.jpg', good);
    cloud.s3.write('archive', '2022/z.jpg', unreadable);
    cloud.s3.options = { fault: ({ key }) => (key === '2022/z.jpg' ? 'refused' : undefined) };
    const { report } = await ingest('s3://archive/2022/', '--collection', 'old');
    cloud.s3.options = {};
    expect(report).toMatchObject({ stored: 1 });
    const errors = new Map(
      report.errors.map(({ path, error }: { path: string; error: string }) => [path, error]),
    );
    expect(errors.get('2022/0.jpg')).toContain('is archived');
    expect(errors.get('s3://archive/2022/')).toMatch(/^3 objects were in batches that failed/);
    // Two of the notes were in the batch that failed.
    expect(errors.size).toBe(100);
    const again = await ingest('s3://archive/2022/', '--collection', 'old');
    expect(again.report).toMatchObject({ stored: 1, unchanged: 1 });
    expect(again.report.errors).toHaveLength(101);
  }, 600_000);

  test('fails as the run fails, with its reason', async () => {
    const { status, stderr } = await ingest('s3://nobody-has-this-bucket', '--collection', 'none');
    expect(status).toBe(2);
    expect(stderr).toContain('ended as FAILED');
    expect(stderr).toContain('NoSuchBucket');
  }, 600_000);

  test('names the deployment that there is not', async () => {
    const env = { ...cloud.env, AWS_ENDPOINT_URL_SFN: states.url };
    const args = ['ingest', 's3://archive', '--collection', 'a', '--deployment', 'pictures'];
    const { status, stderr } = await runCommand(args, { env });
    expect(status).toBe(2);
    expect(stderr).toContain(`no state machine ${stateMachineName('pictures')}`);
  }, 600_000);
});
