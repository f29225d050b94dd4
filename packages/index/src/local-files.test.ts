import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore } from '@lookalike/store';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openEngine } from './open-engine.ts';
import { codeOf } from './test-collections.ts';

let cacheFolder: string;
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'lookalike-local-files-'));
});
afterAll(() => rm(cacheFolder, { recursive: true, force: true }));

test('merges, several at once too, need no room in the cache for what they read', async () => {
  const engine = openEngine({
    store: new MemoryStore(),
    commitWindow: 0,
    maintenance: false,
    cacheFolder,
    // Less than one segment.
    cacheBytes: 1000,
    buildThreads: 4,
    indexer: { maxSegmentRows: 700 },
  });
  await engine.createCollection('c', { dimension: 4, metric: 'l2' });
  const collection = await engine.collection('c');
  for (let part = 0; part < 12; part++) {
    const items = Array.from({ length: 200 }, (_, i) => ({
      id: `${i}-${part}`,
      vector: Float32Array.of(part, i, 1, 2),
      metadata: { part },
    }));
    await collection.upsert(items);
    // Without merging.
    if (part < 3) await engine.compact('c');
  }
  await engine.compact('c');
  for (let round = 0; round < 3; round++) await engine.compact('c', { full: true });
  const { items, segments } = await collection.stats();
  expect({ items, segments }).toEqual({ items: 2400, segments: 4 });
  expect((await engine.verify('c')).damaged).toEqual([]);
  expect((await collection.query({ vector: Float32Array.of(7, 33, 1, 2), topK: 1 })).matches).toMatchObject([
    { id: '33-7', metadata: { part: 7 } },
  ]);
  await engine.close();
});

test('what was damaged on the way into the cache is refused by name, and not kept', async () => {
  const store = new MemoryStore();
  const folder = await mkdtemp(join(cacheFolder, 'damaged-'));
  const engine = openEngine({ store, commitWindow: 0, maintenance: false, cacheFolder: folder });
  await engine.createCollection('c', { dimension: 1, metric: 'l2' });
  await (await engine.collection('c')).upsert([{ id: 'a', vector: Float32Array.of(1) }]);
  await engine.compact('c');
  const { objects } = await store.list('collections/c/segments/');
  const { key } = objects.find((object) => object.key.endsWith('/rows.arrows')) as { key: string };
  const { body } = (await store.get(key)) as { body: Uint8Array };
  for (const damaged of [body.with(100, 7), body.subarray(1)]) {
    await store.put(key, damaged);
    const merged = engine.compact('c', { full: true });
    await expect(merged).rejects.toMatchObject({ code: 'damaged-object', details: { key } });
    expect(await readdir(folder)).toEqual([]);
  }
  await store.put(key, body);
  await engine.compact('c', { full: true });
  await engine.close();
});

test.skipIf(process.getuid === undefined)(
  'by default the cache is a folder of its user that no one else can write to',
  async () => {
    const parent = await mkdtemp(join(cacheFolder, 'temporary-'));
    vi.stubEnv('TMPDIR', parent);
    const engine = openEngine({ store: new MemoryStore(), commitWindow: 0, maintenance: false });
    vi.unstubAllEnvs();
    await engine.createCollection('c', { dimension: 1, metric: 'l2' });
    const collection = await engine.collection('c');
    for (const id of ['a', 'b']) {
      await collection.upsert([{ id, vector: Float32Array.of(1) }]);
      await engine.compact('c');
    }
    const compacted = () => codeOf(engine.compact('c', { full: true }));
    const folder = join(parent, `lookalike-cache-${process.getuid?.()}`);
    expect(await compacted()).toBe('no error');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);

    await chmod(folder, 0o777);
    expect(await compacted()).toBe('cache-not-own');
    await rm(folder, { recursive: true });
    const elsewhere = join(parent, 'elsewhere');
    await mkdir(elsewhere, { mode: 0o700 });
    await symlink(elsewhere, folder);
    expect(await compacted()).toBe('cache-not-own');
    // Nothing but what merges needs it.
    expect((await collection.get(['a', 'b'])).map((item) => item?.id)).toEqual(['a', 'b']);
    await rm(folder);
    expect(await compacted()).toBe('no error');
    await engine.close();
  },
);
