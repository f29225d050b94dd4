import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore, openFolderStore } from '@lookalike/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Collection } from './engine.ts';
import { openEngine } from './open-engine.ts';
import { codeOf, engineOn, ids, vector } from './test-collections.ts';

let path: string;
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'lookalike-engine-'));
});
afterAll(() => rm(path, { recursive: true, force: true }));

test.each(['memory', 'folder'])(
  'every acknowledged write is seen at once by the others (%s)',
  async (kind) => {
    const shared = new MemoryStore();
    const open = async () => engineOn(kind === 'memory' ? shared : await openFolderStore(path));
    const engines = await Promise.all([open(), open(), open(), open()]);
    await (engines[0] as ReturnType<typeof engineOn>).createCollection('c', { dimension: 2, metric: 'l2' });
    const collections = await Promise.all(engines.map((engine) => engine.collection('c')));
    await Promise.all(
      collections.map(async (collection, w) => {
        for (let i = 0; i < 25; i++) {
          const { version } = await collection.upsert([{ id: `w${w}-${i}`, vector: vector(w, i) }]);
          const other = collections[(w + 1) % collections.length] as Collection;
          const { matches, version: read } = await other.query({ vector: vector(w, i), topK: 1 });
          expect(read).toBeGreaterThanOrEqual(version);
          expect(ids(matches)).toEqual([`w${w}-${i}`]);
        }
      }),
    );
    for (const collection of collections) expect((await collection.count()).count).toBe(100);
    const late = await (await open()).collection('c');
    expect((await late.scan({ limit: 1000 })).items).toHaveLength(100);
  },
);

test('an eventual reader looks after a while, for the next ones', async () => {
  const store = new MemoryStore();
  let now = Date.now();
  const [writer, reader] = [engineOn(store), openEngine({ store, now: () => now })];
  await writer.createCollection('c', { dimension: 2, metric: 'l2' });
  const [written, read] = [await writer.collection('c'), await reader.collection('c')];
  await written.upsert([{ id: 'a', vector: vector(0, 0) }]);
  const found = async () =>
    ids((await read.query({ vector: vector(0, 0), consistency: 'eventual' })).matches);
  expect(await found()).toEqual([]);
  now += 2000;
  expect(await found()).toEqual([]);
  await expect.poll(found).toEqual(['a']);
});

test('a reader may insist on a version, and an eventual one need not look', async () => {
  const store = new MemoryStore();
  const [writer, reader] = [engineOn(store), engineOn(store)];
  await writer.createCollection('c', { dimension: 2, metric: 'l2' });
  const [written, read] = [await writer.collection('c'), await reader.collection('c')];
  const { version } = await written.upsert([{ id: 'a', vector: vector(0, 0) }]);
  const request = { vector: vector(0, 0), consistency: 'eventual' } as const;
  expect((await read.query(request)).matches).toEqual([]);
  expect(ids((await read.query({ ...request, minVersion: version })).matches)).toEqual(['a']);
  expect(await codeOf(read.query({ ...request, minVersion: version + 1 }))).toBe('unknown-version');
});
