import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';

/** Upkeep asks nothing of a model: the collection holds vectors. */
describe('upkeep of a data folder', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let data: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    data = folder.env.LOOKALIKE_DATA_DIR;
    const engine = openEngine({ store: await openFolderStore(data) });
    await engine.createCollection('points', { dimension: 3, metric: 'l2' });
    const points = await engine.collection('points');
    await points.upsert(
      Array.from({ length: 200 }, (_, index) => ({
        id: `p${index}`,
        vector: Float32Array.of(index / 3, Math.sqrt(index), -index),
        metadata: { index, name: 'ä "quoted"\nline' },
      })),
    );
    await points.delete({ ids: ['p7'] });
    await engine.close();
  });
  afterAll(() => folder.remove());
  const run = (...args: string[]) => runCommand(args, { env: folder.env, cwd: folder.root });

  test('what is exported and imported is the same, bit by bit, and the file says what it is', async () => {
    const exported = await run('export', '-c', 'points', '--data', data, '-o', 'points.ndjson');
    expect(exported).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '199 items of points in points.ndjson.\n',
    });
    const lines = readFileSync(join(folder.root, 'points.ndjson'), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBe(200);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      lookalike: 1,
      collection: { name: 'points', dimension: 3, metric: 'l2' },
    });

    const other = join(folder.root, 'other');
    const imported = await run('import', 'points.ndjson', '-c', 'copy', '--data', other, '--json');
    expect(imported.status).toBe(0);
    expect(JSON.parse(imported.stdout)).toEqual({ collection: 'copy', stored: 199, errors: [] });
    const again = await run('export', '-c', 'copy', '--data', other);
    expect(again.stdout.split('\n').slice(1)).toEqual([...lines.slice(1), '']);
  });

  test('an Arrow file goes out and in as well', async () => {
    const exported = await run('export', '-c', 'points', '--data', data, '-o', 'points.arrows');
    expect(exported).toMatchObject({ status: 0, stderr: '199 items of points in points.arrows.\n' });
    const unnamed = await run('import', 'points.arrows', '--data', data);
    expect(unnamed).toMatchObject({ status: 2, stderr: expect.stringContaining('give --collection') });
    const elsewhere = await run('import', 'points.arrows', '-c', 'nowhere', '--data', data);
    expect(elsewhere).toMatchObject({ status: 2, stderr: expect.stringContaining('give --model') });
    // Into itself: everything is there afterwards as it was.
    const before = await run('export', '-c', 'points', '--data', data);
    const imported = await run('import', 'points.arrows', '-c', 'points', '--data', data, '--json');
    expect(JSON.parse(imported.stdout)).toEqual({ collection: 'points', stored: 199, errors: [] });
    expect((await run('export', '-c', 'points', '--data', data)).stdout).toBe(before.stdout);
  });

  test('a file that is no export, or was cut short, is refused in words', async () => {
    await folder.write('other.ndjson', '{"id": "x"}\n');
    const header = '{"lookalike": 1, "collection": {"name": "cut", "dimension": 3, "metric": "l2"}}';
    await folder.write('cut.ndjson', `${header}\n{"id": "a", "vec`);
    for (const [file, message] of [
      ['other.ndjson', /the first line is not/],
      ['cut.ndjson', /cut\.ndjson:2: not a line of JSON/],
      ['.', /is a folder, expected a file/],
    ] as const) {
      const { status, stderr } = await run('import', file, '--data', data);
      expect(stderr).toMatch(message);
      expect(status).toBe(2);
    }
  });

  test('what only reads makes no data folder where there is none', async () => {
    const missing = join(folder.root, 'typo');
    for (const args of [
      ['verify', '-c', 'points'],
      ['compact', '-c', 'points'],
      ['export', '-c', 'points'],
      ['recall', '-c', 'points'],
      ['query', join(TEST_PICTURES, 'cat.jpg'), '-c', 'points'],
    ]) {
      const { status, stderr } = await run(...args, '--data', missing);
      expect([args[0], status, stderr]).toEqual([
        args[0],
        2,
        `lookalike: there is no data folder ${missing}\n`,
      ]);
    }
    expect(existsSync(missing)).toBe(false);
  });

  test('a write that the disk does not take says why, without the log of a server', async () => {
    const broken = join(folder.root, 'broken');
    await openFolderStore(broken);
    // Where collections would be is a file.
    writeFileSync(join(broken, 'collections'), '');
    const { status, stderr } = await run('import', 'points.ndjson', '--data', broken);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^lookalike: .*cannot write collections\/points\/.* folder .*broken/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('compact makes segments, and verify proves them sound or names what is damaged', async () => {
    const compacted = await run('compact', '-c', 'points', '--full', '--json');
    expect(compacted.status).toBe(0);
    expect(JSON.parse(compacted.stdout)).toMatchObject({ items: 199, segments: 1, deletedRows: 0 });
    expect((await run('compact', '-c', 'points')).stdout).toBe(
      '199 items in 1 segment, 0 deleted rows left; 0 objects removed.\n',
    );
    const sound = await run('verify', '-c', 'points');
    expect(sound).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^199 items .* all is well\.\n$/),
    });

    const segments = join(data, 'collections/points/segments');
    // Every one of them: which are in use and which are garbage already is the engine's business.
    for (const name of readdirSync(segments, { recursive: true, encoding: 'utf8' })) {
      if (!name.includes('rows.arrow')) continue;
      const bytes = await readFile(join(segments, name));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      writeFileSync(join(segments, name), bytes);
    }
    const damaged = await run('verify', '-c', 'points');
    expect(damaged.status).toBe(1);
    expect(damaged.stdout).toMatch(/1 damaged\.\n {2}collections\/points\/segments\/.*rows\.arrows/);

    const missing = await run('verify', '-c', 'nothing');
    expect(missing).toMatchObject({ status: 2, stderr: expect.stringMatching(/collection.*nothing/) });
  });
});
