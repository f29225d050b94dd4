import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import { BuildPool } from './build-pool.ts';
import type { Collection } from './engine.ts';
import { Head } from './head.ts';
import { Indexer, type IndexerOptions } from './indexer.ts';
import { LocalFiles } from './local-files.ts';
import { MemoryBudget } from './memory-budget.ts';
import { openEngine } from './open-engine.ts';
import { randomNumbers } from './random.ts';

const hour = 3_600_000;
const dimension = 8;
const cacheFolder = join(tmpdir(), 'lookalike-indexer-cache');

function vectors(count: number): Float32Array[] {
  const random = randomNumbers(7);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimension }, () => random() - 0.5));
}

async function collectionWith(options: Partial<IndexerOptions>, buildBytes?: number) {
  const engine = openEngine({
    store: new MemoryStore(),
    commitWindow: 0,
    cacheFolder,
    indexer: { flushRows: 300, graphMinRows: 200, ...options },
    ...(buildBytes !== undefined && { buildBytes }),
  });
  await engine.createCollection('c', { dimension, metric: 'l2', hnsw: { m: 8, efConstruction: 40 } });
  return { engine, collection: await engine.collection('c') };
}

async function load(collection: Collection, rows: readonly Float32Array[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 150)
    await collection.upsert(
      rows.slice(at, at + 150).map((vector, i) => ({ id: `i${at + i}`, vector, metadata: { n: at + i } })),
    );
}

async function until<T>(look: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (let waited = 0; ; waited++) {
    const value = await look();
    if (isDone(value)) return value;
    if (waited === 500) throw new Error(`still ${JSON.stringify(value)}`);
    await sleep(20);
  }
}

test('while items stream in, segments get no graphs; when it is quiet they do', async () => {
  const rows = vectors(1500);
  const busy = await collectionWith({ settleTime: hour });
  await load(busy.collection, rows);
  const flushed = await until(
    () => busy.collection.stats(),
    ({ tailRows }) => tailRows < 300,
  );
  expect(flushed.segments).toBeGreaterThan(1);
  expect(flushed.bytes.graphs).toBe(0);
  // Asked for, it is done at once.
  await busy.engine.compact('c');
  expect((await busy.collection.stats()).bytes.graphs).toBeGreaterThan(0);
  await busy.engine.close();

  const quiet = await collectionWith({ settleTime: 10 });
  await load(quiet.collection, rows);
  const settled = await until(
    () => quiet.collection.stats(),
    ({ tailRows, bytes }) => tailRows < 300 && bytes.graphs > 0,
  );
  expect(settled.items).toBe(1500);
  for (const n of [3, 700, 1499])
    expect(
      (await quiet.collection.query({ vector: rows[n] as Float32Array, topK: 1 })).matches[0],
    ).toMatchObject({ id: `i${n}`, metadata: { n } });
  expect((await quiet.engine.verify('c')).damaged).toEqual([]);
  await quiet.engine.close();
});

test('of many segments, merging waits for no quiet', async () => {
  const { engine, collection } = await collectionWith({ settleTime: hour, maxUnsettledSegments: 4 });
  await load(collection, vectors(4500));
  const stats = await until(
    () => collection.stats(),
    ({ segments, tailRows }) => tailRows < 300 && segments < 4,
  );
  expect(stats.items).toBe(4500);
  expect(stats.bytes.graphs).toBeGreaterThan(0);
  await engine.close();
});

test('a segment has no more rows than the memory for builds allows', async () => {
  const { engine, collection } = await collectionWith({ settleTime: hour }, 2 ** 20);
  await load(collection, vectors(9000));
  await engine.compact('c', { full: true });
  const { segments, items, bytes } = await collection.stats();
  expect(items).toBe(9000);
  // 1 MiB is enough for 3,000 or 4,000 of these.
  expect(segments).toBeGreaterThanOrEqual(3);
  expect(segments).toBeLessThanOrEqual(4);
  expect(bytes.graphs).toBeGreaterThan(0);
  await engine.close();
});

test('rows become segments while a merge is under way', async () => {
  let endMerge = () => {};
  const mayEnd = new Promise<void>((resolve) => {
    endMerge = resolve;
  });
  const merging: number[] = [];
  class SlowMerges extends BuildPool {
    override async build(job: Parameters<BuildPool['build']>[0]) {
      const built = await super.build(job);
      if (job.segments.length > 0) {
        merging.push(job.segments.length);
        await mayEnd;
      }
      return built;
    }
  }
  const store = new MemoryStore();
  const space = {
    store,
    local: new LocalFiles(store, { folder: cacheFolder, maxBytes: 1e9 }),
    budget: new MemoryBudget(1e9),
  };
  const head = new Head(space, 'c', { grace: 1e9, now: Date.now });
  const indexer = new Indexer(head, space, new SlowMerges({ maxBytes: 2 ** 30 }), {
    flushRows: 10,
    settleTime: 0,
  });
  const info = { name: 'c', dimension: 1, metric: 'l2', hnsw: { m: 4, efConstruction: 20 } } as const;
  const write = async (from: number) => {
    const ids = Array.from({ length: 10 }, (_, i) => `i${from + i}`);
    await head.commit(() => ({
      kind: 'write',
      batch: {
        ids,
        vectors: Float32Array.from(ids, (_, i) => i),
        metadata: ids.map(() => '{}'),
        deletes: [],
      },
    }));
    indexer.poke();
  };
  const tailRows = async () => head.state.tail.count;
  await head.refresh();
  await head.commit(() => ({ kind: 'create', info }));
  for (let n = 0; merging.length === 0; n++) {
    await write(n * 10);
    await until(tailRows, (rows) => rows === 0);
  }
  await write(10_000);
  await until(tailRows, (rows) => rows === 0);
  endMerge();
  await indexer.close();
  expect(merging).toEqual([4]);
  expect(head.state.segments.map(({ segment }) => segment.rows).sort((a, b) => b - a)[0]).toBe(40);
  expect(head.state.items).toBe(head.state.segments.reduce((sum, { segment }) => sum + segment.rows, 0));
});
