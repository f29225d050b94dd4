import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '@lookalike/index';
import { checkStore, MemoryStore, type ObjectStore } from '@lookalike/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Decide, FaultStore } from './fault-store.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-transient-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rows = 9000;
const indexer = { graphMinRows: 1000 };

async function engineOn(store: ObjectStore) {
  const cacheFolder = await mkdtemp(join(folder, 'cache-'));
  return openEngine({ store, commitWindow: 0, maintenance: false, cacheFolder, indexer });
}

test('what makes searches fast is fetched again where the store was out of reach for a moment', async () => {
  const store = new MemoryStore();
  const writer = await engineOn(store);
  await writer.createCollection('c', { dimension: 4, metric: 'l2', hnsw: { m: 4, efConstruction: 16 } });
  const items = Array.from({ length: rows }, (_, i) => ({
    id: `i${i}`,
    vector: Float32Array.of(i % 10, Math.floor(i / 10) % 10, Math.floor(i / 100) % 10, i),
  }));
  await (await writer.collection('c')).upsert(items);
  await writer.compact('c');
  await writer.close();

  // Of what is fetched in the background alone: the graph, and the first rows, far from those that are searched for.
  const left = { graph: 1, rows: 1 };
  const [first] = (await store.list('collections/c/segments/')).objects.filter(({ key }) =>
    key.endsWith('/rows.arrows'),
  );
  const fails: Decide = (kind, key, start = 0) => {
    if (kind === 'stream' && key.endsWith('/graph.hnsw') && left.graph > 0) left.graph--;
    else if (key === first?.key && start < first.size / 4 && left.rows > 0) left.rows--;
    else return undefined;
    return 'before';
  };
  const reader = await engineOn(new FaultStore(store, fails));
  const collection = await reader.collection('c');
  const receipt = async () => {
    const { receipt } = await collection.query({
      vector: Float32Array.of(9, 9, 9, rows),
      topK: 1,
      ef: 10,
      explain: true,
    });
    return { warm: receipt?.warm, ways: receipt?.segments.map(({ way }) => way) };
  };
  expect(await receipt()).toEqual({ warm: false, ways: ['flat'] });
  await expect.poll(() => left, { timeout: 30_000 }).toEqual({ graph: 0, rows: 0 });
  await expect.poll(receipt, { timeout: 30_000 }).toEqual({ warm: true, ways: ['graph'] });
  await reader.close();
});

test('what could not be put into segments by itself is put there later', async () => {
  let left = 3;
  const store = new FaultStore(new MemoryStore(), (kind, key) =>
    kind === 'put' && key.includes('/segments/') && left-- > 0 ? 'before' : undefined,
  );
  const engine = openEngine({
    store,
    commitWindow: 0,
    cacheFolder: await mkdtemp(join(folder, 'cache-')),
    indexer: { flushRows: 10 },
  });
  await engine.createCollection('c', { dimension: 1, metric: 'l2' });
  const collection = await engine.collection('c');
  const items = Array.from({ length: 20 }, (_, i) => ({ id: `i${i}`, vector: Float32Array.of(i) }));
  await collection.upsert(items);
  await expect
    .poll(
      async () => {
        await collection.upsert(items.slice(0, 1));
        return (await collection.stats()).segments;
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(0);
  expect(left).toBeLessThan(0);
  expect(await collection.count()).toMatchObject({ count: 20 });
  await engine.close();
});

test('a store is not called unsafe, nor away, for an answer that was lost', async () => {
  const inner = new MemoryStore();
  let puts = 0;
  await checkStore(new FaultStore(inner, (kind) => (kind === 'put' && puts++ === 0 ? 'after' : undefined)));
  expect((await inner.list('')).objects).toEqual([]);
  const away = new FaultStore(inner, () => 'before');
  await expect(checkStore(away)).rejects.toMatchObject({ code: 'store-unavailable' });
});
