import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GetOptions, MemoryStore } from '@lookalike/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Metric } from './engine.ts';
import { openEngine } from './open-engine.ts';
import { codeOf, vector } from './test-collections.ts';

let cacheFolder: string;
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'lookalike-group-commit-'));
});
afterAll(() => rm(cacheFolder, { recursive: true, force: true }));

/** Reads of segments fail where there are none left to succeed. */
class FailingReads {
  count = 0;
  left = Number.POSITIVE_INFINITY;

  store(): MemoryStore {
    const store = new MemoryStore();
    const get = store.get.bind(store);
    store.get = (async (key: string, options?: GetOptions) => {
      if (key.includes('/segments/')) {
        this.count++;
        if (this.left-- <= 0) throw new Error('connection reset');
      }
      return get(key, options);
    }) as MemoryStore['get'];
    return store;
  }
}

async function collectionIn(reads: FailingReads, metric: Metric) {
  // No vectors in memory: each search reads them.
  const engine = openEngine({
    store: reads.store(),
    commitWindow: 20,
    maintenance: false,
    cacheFolder,
    memoryBytes: 1000,
  });
  await engine.createCollection('c', { dimension: 2, metric });
  const collection = await engine.collection('c');
  await collection.upsert(
    Array.from({ length: 500 }, (_, i) => ({ id: `i${i}`, vector: vector(i, 1), metadata: { i } })),
  );
  await engine.compact('c');
  return { engine, collection };
}

test('calls of one commit see what those before them change', async () => {
  const { engine, collection } = await collectionIn(new FailingReads(), 'l2');
  const [one, stored, filtered, several] = await Promise.all([
    collection.delete({ ids: ['i1'] }),
    collection.upsert([{ id: 'z', vector: vector(1, 1), metadata: { i: 2 } }]),
    collection.delete({ filter: { field: 'i', in: [1, 2] } }),
    collection.delete({ ids: ['z', 'i2', 'i3'] }),
  ]);
  expect([one, filtered, several].map(({ deleted }) => deleted)).toEqual([1, 2, 1]);
  expect(new Set([one, stored, filtered, several].map(({ version }) => version)).size).toBe(1);
  expect(await collection.get(['i1', 'z', 'i2', 'i3'])).toEqual(Array(4).fill(undefined));
  expect((await collection.count()).count).toBe(497);
  await engine.close();
});

test('a call that fails does not fail the others of its commit', async () => {
  const reads = new FailingReads();
  const { engine, collection } = await collectionIn(reads, 'l2');
  reads.left = 0;
  const [x, filtered, y] = await Promise.allSettled([
    collection.upsert([{ id: 'x', vector: vector(1, 1) }]),
    collection.delete({ filter: { field: 'i', equals: 3 } }),
    collection.upsert([{ id: 'y', vector: vector(1, 1) }]),
  ]);
  expect(filtered).toMatchObject({ status: 'rejected', reason: { message: 'connection reset' } });
  expect(x).toMatchObject({ status: 'fulfilled', value: { results: [{ id: 'x', status: 'stored' }] } });
  expect(y.status === 'fulfilled' && y.value.version).toBe(x.status === 'fulfilled' && x.value.version);
  reads.left = Number.POSITIVE_INFINITY;
  expect((await collection.count()).count).toBe(502);
  expect(await collection.delete({ filter: { field: 'i', equals: 3 } })).toMatchObject({ deleted: 1 });
  await engine.close();
});

test('a call that fails midway changes nothing', async () => {
  const reads = new FailingReads();
  const { engine, collection } = await collectionIn(reads, 'l1');
  const unique = { unlessSimilar: 0.999 };
  reads.count = 0;
  await collection.upsert([{ id: 'probe', vector: vector(1, 3000) }], unique);
  // Of the three searches of the call below, two.
  reads.left = 2 * reads.count;
  const [first, failed, last] = await Promise.allSettled([
    collection.upsert([{ id: 'a', vector: vector(1, 5000) }]),
    collection.upsert(
      [
        { id: 'b', vector: vector(1, 6000) },
        { id: 'a', vector: vector(1, 7000) },
        { id: 'd', vector: vector(1, 8000) },
      ],
      unique,
    ),
    collection.delete({ ids: ['b', 'i7'] }),
  ]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'connection reset' } });
  expect(first.status).toBe('fulfilled');
  // As if `b` had never been there.
  expect(last).toMatchObject({ status: 'fulfilled', value: { deleted: 1 } });
  reads.left = Number.POSITIVE_INFINITY;
  expect(await collection.get(['a', 'b', 'd'], { include: ['vector'] })).toMatchObject([
    { id: 'a', vector: vector(1, 5000) },
    undefined,
    undefined,
  ]);
  await engine.close();
});

test('a write through a handle of a dropped collection fails alone', async () => {
  const reads = new FailingReads();
  const { engine, collection: old } = await collectionIn(reads, 'l2');
  await engine.dropCollection('c');
  await engine.createCollection('c', { dimension: 1, metric: 'l2' });
  const now = await engine.collection('c');
  const [refused, stored] = await Promise.all([
    codeOf(old.upsert([{ id: 'a', vector: vector(1, 2) }])),
    now.upsert([{ id: 'b', vector: vector(1) }]),
  ]);
  expect(refused).toBe('unknown-collection');
  expect(stored.results).toEqual([{ id: 'b', status: 'stored' }]);
  expect((await now.scan()).items.map(({ id }) => id)).toEqual(['b']);
  await engine.close();
});
