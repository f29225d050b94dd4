import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3Server } from '../../../test/s3-server/s3-server.ts';
import { runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';

describe('--data s3://…', () => {
  let server: S3Server;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await S3Server.start(['bucket']);
    env = {
      ...folder.env,
      AWS_ENDPOINT_URL: server.url,
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
    expect(imported).toMatchObject({ status: 0, stdout: '1 item stored in points.\n' });
    expect([...(server.buckets.get('bucket')?.keys() ?? [])]).toContainEqual(
      expect.stringMatching(/^some\/place\/collections\/points\/log\//),
    );
    const verified = await runCommand(['verify', '-c', 'points', ...data], { env });
    expect(verified.stdout).toMatch(/^1 item .* all is well/);
    for (const full of [[], ['--full']])
      expect(await runCommand(['compact', '-c', 'points', ...full, ...data], { env })).toMatchObject({
        status: 0,
      });
    const cache = join(folder.env.LOOKALIKE_CACHE_DIR, 'segments');
    expect(await readdir(cache)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    if (process.platform !== 'win32') expect((await stat(cache)).mode & 0o777).toBe(0o700);
  });

  test('has pictures to ingest, which are read and never written', async () => {
    for (const [key, name] of [
      ['photos/2024/cat.jpg', 'cat.jpg'],
      ['photos/rocket.jpg', 'rocket.jpg'],
      ['photos/notes.txt', 'README.md'],
      ['elsewhere/coffee.jpg', 'coffee.jpg'],
    ] as const)
      server.write('bucket', key, await readFile(join(TEST_PICTURES, name)));
    const before = server.requests.get('PUT object');
    const args = [
      'ingest',
      's3://bucket/photos',
      '-c',
      'photos',
      '--data',
      join(folder.root, 'data'),
      '--json',
    ];
    const first = await runCommand(args, { env });
    expect(first.stderr).toBe('');
    expect(JSON.parse(first.stdout)).toMatchObject({ stored: 2, unchanged: 0, errors: [] });
    const second = await runCommand(args, { env });
    expect(second.stderr).toBe('');
    expect(JSON.parse(second.stdout)).toMatchObject({ stored: 0, unchanged: 2 });
    expect(server.requests.get('PUT object')).toBe(before);
    const query = ['query', join(TEST_PICTURES, 'cat.jpg'), '-c', 'photos', '-k', '1', '--json'];
    const { stdout } = await runCommand([...query, '--data', join(folder.root, 'data')], { env });
    expect(JSON.parse(stdout).matches[0].id).toBe('2024/cat.jpg');
  });

  test('that is no bucket is refused in words', async () => {
    const { status, stderr } = await runCommand(['verify', '-c', 'x', '--data', 's3://'], { env });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'lookalike: s3:// names no bucket, expected s3://bucket/prefix\n',
    });
  });
});
