import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3Server } from '../../../test/faults/s3-server.ts';
import { runCommand, temporaryFolder } from './test-command.ts';

describe('--data s3://…', () => {
  const server = new S3Server();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    env = {
      ...folder.env,
      AWS_ENDPOINT_URL: await server.listen(),
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
  });
  afterAll(async () => {
    await server.close();
    await folder.remove();
  });

  test('keeps collections in a bucket, with the same words', async () => {
    const file = await folder.write(
      'points.ndjson',
      '{"lookalike": 1, "collection": {"name": "points", "dimension": 2, "metric": "l2"}}\n' +
        '{"id": "a", "vector": [1, 2], "metadata": {}}\n',
    );
    const data = ['--data', 's3://bucket/some/place'];
    const imported = await runCommand(['import', file, ...data], { env });
    expect(imported).toMatchObject({ status: 0, stdout: '1 items stored in points.\n' });
    expect([...server.objects.keys()]).toContainEqual(
      expect.stringMatching(/^some\/place\/collections\/points\/log\//),
    );
    const verified = await runCommand(['verify', '-c', 'points', ...data], { env });
    expect(verified.stdout).toMatch(/^1 items .* all is well/);
  });

  test('that is no bucket is refused in words', async () => {
    const { status, stderr } = await runCommand(['verify', '-c', 'x', '--data', 's3://'], { env });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'lookalike: --data is s3://, expected a folder or s3://bucket/prefix\n',
    });
  });
});
