import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore, openFolderStore } from '@lookalike/store';
import { afterAll, describe, expect, test } from 'vitest';
import { distance } from './distance.ts';
import type { Collection, Item, JsonValue, Match, Metric } from './engine.ts';
import type { Filter } from './filter.ts';
import { type EngineOptions, openEngine } from './open-engine.ts';
import { randomNumbers } from './random.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lookalike-segments-'));
  folders.push(path);
  return path;
}

/** Clustered, so that neighbours are near and many distances are close to each other. */
function clusteredItems(count: number, dimension: number, seed: number): Item[] {
  const random = randomNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const centres = Array.from({ length: 20 }, () => Float32Array.from({ length: dimension }, normal));
  return Array.from({ length: count }, (_, i) => {
    const centre = centres[i % centres.length] as Float32Array;
    return {
      id: `item-${String(Math.floor(random() * 1e9)).padStart(9, '0')}-${i}`,
      vector: centre.map((value) => value + 0.3 * normal()),
      metadata: { n: i, group: `g${i % 7}`, ...(i % 3 === 0 && { third: true }) },
    };
  });
}

function expectedIds(items: Iterable<Item>, metric: Metric, query: Float32Array, k: number): string[] {
  return [...items]
    .map(({ id, vector }) => ({ id, distance: distance(metric, query, vector) }))
    .sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
    .slice(0, k)
    .map(({ id }) => id);
}

const ids = (matches: readonly Match[]) => matches.map((match) => match.id);

async function openOn(options: Partial<EngineOptions> & Pick<EngineOptions, 'store'>) {
  return openEngine({
    commitWindow: 0,
    maintenance: false,
    cacheFolder: await newFolder(),
    indexer: { graphMinRows: 500 },
    ...options,
  });
}

async function load(collection: Collection, items: readonly Item[]): Promise<void> {
  for (let at = 0; at < items.length; at += 500) await collection.upsert(items.slice(at, at + 500));
}

describe.each(['folder', 'memory'] as const)('segments in a %s store', (kind) => {
  const openStore = async () => (kind === 'folder' ? openFolderStore(await newFolder()) : new MemoryStore());

  test.each(['cosine', 'l2', 'l1'] as const)(
    'give the same exact answers as the rows themselves (%s)',
    async (metric) => {
      const store = await openStore();
      const engine = await openOn({ store });
      await engine.createCollection('c', { dimension: 20, metric });
      const collection = await engine.collection('c');
      const items = new Map(clusteredItems(3000, 20, 1).map((item) => [item.id, item]));
      await load(collection, [...items.values()].slice(0, 1500));
      await engine.compact('c');
      await load(collection, [...items.values()].slice(1500, 2600));
      await engine.compact('c');
      await load(collection, [...items.values()].slice(2600));
      // Replacements and deletes of rows in each segment and in the tail.
      const all = [...items.values()];
      const replaced = [3, 1700, 2900].map((i) => ({
        ...(all[i] as Item),
        vector: (all[i] as Item).vector.map((x) => -x),
      }));
      await collection.upsert(replaced);
      for (const item of replaced) items.set(item.id, item);
      const doomed = [5, 1600, 2700].map((i) => (all[i] as Item).id);
      expect((await collection.delete({ ids: doomed })).deleted).toBe(3);
      for (const id of doomed) items.delete(id);

      const cold = await openOn({ store });
      const stats = await collection.stats();
      expect(stats).toMatchObject({
        items: 2997,
        segments: 2,
        tailRows: 401,
        deletedRows: expect.any(Number),
      });
      for (const reader of [collection, await cold.collection('c')]) {
        for (let q = 0; q < 20; q++) {
          const query = (all[q * 149] as Item).vector.map((x, i) => x + 0.05 * Math.sin(i + q));
          const { matches, receipt } = await reader.query({
            vector: query,
            topK: 12,
            exact: true,
            explain: true,
          });
          expect(ids(matches)).toEqual(expectedIds(items.values(), metric, query, 12));
          expect(receipt?.exact).toBe(true);
          for (const match of matches)
            expect(match.distance).toBe(distance(metric, query, (items.get(match.id) as Item).vector));
        }
        const filter = {
          and: [{ field: 'group', equals: 'g3' }, { not: { field: 'third', exists: true } }],
        } as const;
        const fitting = [...items.values()].filter(
          (item) => item.metadata?.group === 'g3' && !item.metadata?.third,
        );
        const query = (all[40] as Item).vector;
        const { matches } = await reader.query({ vector: query, topK: 10, exact: true, filter });
        expect(ids(matches)).toEqual(expectedIds(fitting, metric, query, 10));
        expect((await reader.count(filter)).count).toBe(fitting.length);
        expect((await reader.count()).count).toBe(items.size);
        const [got, gone] = await reader.get([(all[3] as Item).id, doomed[0] as string]);
        expect(got).toMatchObject({
          vector: (replaced[0] as Item).vector,
          metadata: (all[3] as Item).metadata,
        });
        expect(gone).toBeUndefined();
        const scanned: string[] = [];
        for (let after: string | undefined; ; ) {
          const page = await reader.scan({ limit: 700, include: ['vector'], ...(after && { after }) });
          for (const item of page.items) {
            expect(item.vector).toEqual((items.get(item.id) as Item).vector);
            scanned.push(item.id);
          }
          after = page.next;
          if (after === undefined) break;
        }
        expect(scanned).toEqual([...items.keys()].sort());
      }
      expect((await engine.verify('c')).damaged).toEqual([]);
      await engine.close();
      await cold.close();
    },
  );

  test('a tail that grew long goes to segments in parts, and what was deleted meanwhile stays so', async () => {
    const store = await openStore();
    const engine = await openOn({ store, indexer: { flushRows: 100, flushBytes: 1000 } });
    await engine.createCollection('c', { dimension: 4, metric: 'l2' });
    const collection = await engine.collection('c');
    const all = clusteredItems(900, 4, 3);
    for (let at = 0; at < all.length; at += 30) {
      await collection.upsert(all.slice(at, at + 30));
      // One of this commit, and one of the commit before again.
      await collection.delete({ ids: [(all[at] as Item).id] });
      if (at > 0) await collection.upsert([{ ...(all[at - 1] as Item), metadata: { again: true } }]);
    }
    const before = await collection.scan({ limit: 1000, include: ['metadata', 'vector'] });
    expect(before.items).toHaveLength(870);
    const { version } = await collection.count();
    await engine.compact('c');
    const stats = await collection.stats();
    expect(stats).toMatchObject({ items: 870, tailRows: 0 });
    // One commit a part, and those of merges.
    expect(stats.version).toBeGreaterThan(version + 4);
    const after = await (await (await openOn({ store })).collection('c')).scan({
      limit: 1000,
      include: ['metadata', 'vector'],
    });
    expect(after.items).toEqual(before.items);
    expect((await engine.verify('c')).damaged).toEqual([]);
  });

  test('compaction removes dead rows and collection of garbage their bytes', async () => {
    const store = await openStore();
    const engine = await openOn({ store });
    await engine.createCollection('c', { dimension: 8, metric: 'cosine' });
    const collection = await engine.collection('c');
    const items = clusteredItems(1200, 8, 2);
    for (let part = 0; part < 4; part++) {
      await collection.upsert(items.slice(part * 300, part * 300 + 300));
      await engine.compact('c');
    }
    const marked = 'secret-marker';
    await collection.upsert([{ ...(items[7] as Item), metadata: { note: marked } }]);
    await engine.compact('c');
    await collection.delete({ ids: items.slice(0, 200).map((item) => item.id) });
    await engine.compact('c', { full: true });
    expect(await collection.stats()).toMatchObject({ items: 1000, segments: 1, deletedRows: 0, tailRows: 0 });
    await engine.collectGarbage('c', { grace: 0 });
    const objects = (await store.list('')).objects;
    for (const { key } of objects)
      expect(Buffer.from((await store.get(key))?.body ?? []).includes(marked)).toBe(false);
    // One segment of four files, its checkpoint, and the commit it came with.
    expect(objects.length).toBeLessThanOrEqual(6);
    const cold = await openOn({ store });
    const again = await cold.collection('c');
    expect((await again.count()).count).toBe(1000);
    const query = (items[500] as Item).vector;
    expect(ids((await again.query({ vector: query, topK: 5, exact: true })).matches)).toEqual(
      expectedIds(items.slice(200), 'cosine', query, 5),
    );
    expect((await cold.verify('c')).damaged).toEqual([]);
    await engine.close();
    await cold.close();
  });
});

describe('search through segments', () => {
  test('goes by the graph where it is warm, flat where it is cold or filtered, with high recall', async () => {
    const store = await openFolderStore(await newFolder());
    const engine = await openOn({ store });
    await engine.createCollection('c', { dimension: 16, metric: 'cosine', hnsw: { efConstruction: 60 } });
    const collection = await engine.collection('c');
    const items = clusteredItems(12_000, 16, 3);
    await load(collection, items);
    await engine.compact('c', { full: true });
    const ways = async (request: object) => {
      const { receipt } = await collection.query({
        vector: (items[5] as Item).vector,
        topK: 10,
        explain: true,
        ...request,
      });
      return receipt?.segments.map((segment) => segment.way);
    };
    expect(await ways({ ef: 40 })).toEqual(['flat']);
    const report = await collection.recall({ sample: 50, k: 10 });
    expect(report.recall).toBeGreaterThan(0.97);
    expect(await ways({ ef: 40 })).toEqual(['graph']);
    // What the scan of so few rows costs is less than a search of the graph with many candidates.
    expect(await ways({ ef: 200 })).toEqual(['flat']);
    expect(await ways({ ef: 40, filter: { field: 'n', lt: 9000 } })).toEqual(['graph']);
    expect(await ways({ ef: 40, filter: { field: 'n', lt: 1000 } })).toEqual(['flat']);
    // The graph would look at 150 rows for it, by chance none that the filter lets through: the scan at 240.
    expect(await ways({ topK: 1, ef: 3, filter: { field: 'n', lt: 240 } })).toEqual(['flat']);
    expect(await ways({ exact: true })).toEqual(['flat']);
    expect(await ways({ topK: undefined, minSimilarity: 0.99 })).toEqual(['flat']);
    // Most rows deleted: as many as asked still come back.
    await collection.delete({ filter: { field: 'n', gte: 100 } });
    const few = await collection.query({ vector: (items[11_999] as Item).vector, topK: 100 });
    expect(few.matches).toHaveLength(100);
    await engine.close();
  }, 240_000);

  test('a range search pages through everything, whatever it is made of', async () => {
    const engine = await openOn({ store: new MemoryStore(), rangePageSize: 50 });
    await engine.createCollection('c', { dimension: 8, metric: 'l2' });
    const collection = await engine.collection('c');
    const items = clusteredItems(2000, 8, 4);
    await load(collection, items.slice(0, 1500));
    await engine.compact('c');
    await load(collection, items.slice(1500));
    const query = (items[10] as Item).vector;
    const wanted = items
      .map((item) => ({ id: item.id, distance: distance('l2', query, item.vector) }))
      .filter((item) => 1 / (1 + item.distance) >= 0.3)
      .sort((a, b) => a.distance - b.distance)
      .map((item) => item.id);
    expect(wanted.length).toBeGreaterThan(100);
    const found: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await collection.query({ vector: query, minSimilarity: 0.3, ...(cursor && { cursor }) });
      found.push(...ids(page.matches));
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    expect(found).toEqual(wanted);
    await engine.close();
  });

  test('a filter is satisfied by a list of which one element satisfies it, in the log and in segments', async () => {
    const engine = await openOn({ store: new MemoryStore() });
    await engine.createCollection('c', { dimension: 2, metric: 'l2' });
    const collection = await engine.collection('c');
    const values: JsonValue[] = [
      ['a', 'b'],
      ['b', 'a', 'a'],
      ['a'],
      'a',
      ['c', 3],
      [1, 20],
      [['a']],
      [],
      [null],
    ];
    await collection.upsert(
      values.map((tags, i) => ({ id: `${i}`, vector: Float32Array.of(i, 0), metadata: { tags } })),
    );
    const found = async (filter: Filter) => {
      const { matches } = await collection.query({
        vector: Float32Array.of(0, 0),
        topK: 20,
        exact: true,
        filter,
      });
      expect((await collection.count(filter)).count).toBe(matches.length);
      return ids(matches).join('');
    };
    for (const where of ['log', 'segment']) {
      if (where === 'segment') await engine.compact('c');
      expect((await collection.stats()).tailRows).toBe(where === 'log' ? 9 : 0);
      expect(await found({ field: 'tags', equals: 'a' })).toBe('0123');
      expect(await found({ field: 'tags', in: ['b', 3] })).toBe('014');
      expect(await found({ field: 'tags', equals: null })).toBe('8');
      expect(await found({ field: 'tags', gt: 2, lt: 10 })).toBe('4');
      expect(await found({ field: 'tags', gte: 'b' })).toBe('014');
      expect(await found({ field: 'tags', exists: true })).toBe('012345678');
      expect(await found({ not: { field: 'tags', equals: 'a' } })).toBe('45678');
    }
    await engine.close();
  });

  test('unlessSimilar and ifVersion see rows of segments', async () => {
    const engine = await openOn({ store: new MemoryStore() });
    await engine.createCollection('c', { dimension: 8, metric: 'cosine' });
    const collection = await engine.collection('c');
    const items = clusteredItems(200, 8, 5);
    const { version } = await collection.upsert(items);
    await engine.compact('c');
    const twin = { id: 'twin', vector: (items[3] as Item).vector.map((x) => x * 2) };
    expect((await collection.upsert([twin], { unlessSimilar: 0.9999 })).results).toMatchObject([
      { status: 'similar', match: { id: (items[3] as Item).id, metadata: { n: 3 } } },
    ]);
    expect((await collection.upsert([{ ...(items[0] as Item), ifVersion: version + 7 }])).results).toEqual([
      { id: (items[0] as Item).id, status: 'conflict', version },
    ]);
    expect((await collection.upsert([{ ...(items[0] as Item), ifVersion: version }])).results).toMatchObject([
      { status: 'stored' },
    ]);
    await engine.close();
  });

  describe.each(['l2', 'l1'] as const)('vectors too long and too short for codes (%s)', (metric) => {
    const ordinary = clusteredItems(900, 4, 11);
    const extremes = (count: number) =>
      Array.from({ length: count }, (_, i): Item => {
        const size = [1e17, 1e30, -3e37, 1e-18, 1e-40][i % 5] as number;
        return { id: `extreme-${i}`, vector: Float32Array.of(size, size / 3, 0, (size / 7) * (i % 11)) };
      });

    async function openWith(extreme: readonly Item[]) {
      const engine = await openOn({ store: new MemoryStore() });
      await engine.createCollection('c', { dimension: 4, metric });
      const collection = await engine.collection('c');
      await load(collection, [...extreme, ...ordinary]);
      await engine.compact('c');
      return { engine, collection };
    }

    async function expectNearest(collection: Collection, items: readonly Item[], way: 'flat' | 'exact') {
      const queries = [
        new Float32Array(4),
        (ordinary[0] as Item).vector,
        ...items.slice(0, 5).map(({ vector }) => vector.map((x) => x * 1.01)),
      ];
      for (const vector of queries) {
        const { matches, receipt } = await collection.query({ vector, topK: 3, ef: 10, explain: true });
        expect(ids(matches)).toEqual(expectedIds([...items, ...ordinary], metric, vector, 3));
        expect(receipt?.segments.map((segment) => segment.way)).toEqual([way]);
      }
    }

    test('are compared one by one where they are few, and the others by their codes', async () => {
      const few = extremes(10);
      const { engine, collection } = await openWith(few);
      await expectNearest(collection, few, 'flat');
      await collection.delete({ ids: few.map(({ id }) => id) });
      await expectNearest(collection, [], 'flat');
      await engine.close();
    });

    test('are scanned with all others where they are many, in memory once they are there', async () => {
      const many = extremes(100);
      const { engine, collection } = await openWith(many);
      await expectNearest(collection, many, 'exact');
      const isWarm = async () => {
        const vector = new Float32Array(4);
        const { receipt } = await collection.query({ vector, topK: 1, include: [], explain: true });
        return receipt?.warm;
      };
      await expect.poll(isWarm).toBe(true);
      await expectNearest(collection, many, 'exact');
      await engine.close();
    });
  });
});

describe.each(['cosine', 'l2', 'l1'] as const)('a reader that has nothing yet (%s)', (metric) => {
  const items = clusteredItems(4000, 40, 7);
  const doomed = items.slice(0, 50).map(({ id }) => id);
  const living = items.slice(50);
  const queries = Array.from({ length: 20 }, (_, q) => (living[q * 61] as Item).vector.map((x) => x + 0.01));

  async function openCold() {
    const store = new MemoryStore();
    const indexer = { graphMinRows: 1e6, coarseMinBytes: 100_000 };
    const engine = await openOn({ store, indexer });
    await engine.createCollection('c', { dimension: 40, metric });
    const collection = await engine.collection('c');
    await load(collection, items);
    await engine.compact('c', { full: true });
    await collection.delete({ ids: doomed });
    await engine.close();
    const asked: string[] = [];
    const get = store.get.bind(store) as (...parameters: unknown[]) => never;
    store.get = (key: string, ...rest: unknown[]) => {
      asked.push(key.split('/').at(-1) as string);
      return get(key, ...rest);
    };
    const reader = await openOn({ store, indexer });
    return { engine: reader, collection: await reader.collection('c'), asked };
  }

  test('answers from coarse codes, and proves answers once the others have come', async () => {
    const { engine, collection, asked } = await openCold();
    // Asked together, so that nothing comes in between.
    const results = await collection.queryBatch(
      queries.map((vector) => ({ vector, topK: 10, include: [], explain: true })),
    );
    expect(asked).toContain('coarse');
    expect(asked).not.toContain('codes');
    let found = 0;
    for (const [q, { matches, receipt }] of results.entries()) {
      const truth = expectedIds(living, metric, queries[q] as Float32Array, 10);
      found += ids(matches).filter((id) => truth.includes(id)).length;
      expect(matches).toHaveLength(10);
      expect(receipt?.exact).toBe(false);
    }
    expect(found / 200).toBeGreaterThanOrEqual(0.98);
    const vector = queries[3] as Float32Array;
    await expect
      .poll(
        async () => {
          await collection.query({ vector, include: [] });
          return asked.includes('codes');
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    const { matches, receipt } = await collection.query({ vector, exact: true, explain: true });
    expect(receipt?.exact).toBe(true);
    expect(ids(matches)).toEqual(expectedIds(living, metric, vector, 10));
    await engine.close();
  });

  test('does not take them for answers that must be proven', async () => {
    const { engine, collection, asked } = await openCold();
    const fitting = living.filter(({ metadata }) => metadata?.group === 'g3');
    const filter = { field: 'group', equals: 'g3' };
    for (const vector of queries) {
      const { matches } = await collection.query({ vector, topK: 7, exact: true, filter });
      expect(ids(matches)).toEqual(expectedIds(fitting, metric, vector, 7));
    }
    expect(asked).not.toContain('coarse');
    await engine.close();
  });

  test('reads rows that stand near each other with one request', async () => {
    const { engine, collection, asked } = await openCold();
    await collection.query({ vector: queries[0] as Float32Array, include: [] });
    const near = living.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(100, 120);
    asked.length = 0;
    const got = await collection.get(
      near.map(({ id }) => id),
      { include: ['vector'] },
    );
    expect(got.map((item) => item?.vector)).toEqual(near.map(({ vector }) => vector));
    // One of vectors, one of metadata, and up to four that load blocks for later queries.
    expect(asked.filter((name) => name === 'rows.arrows').length).toBeLessThanOrEqual(6);
    await engine.close();
  });

  test('has proof where it looked at all that a filter lets through', async () => {
    const { engine, collection, asked } = await openCold();
    const numbers = [51, 700, 1400, 3999, 7];
    const fitting = living.filter(({ metadata }) => numbers.includes(metadata?.n as number));
    const vector = queries[5] as Float32Array;
    const filter = { field: 'n', in: numbers };
    const { matches, receipt } = await collection.query({ vector, filter, include: [], explain: true });
    expect(ids(matches)).toEqual(expectedIds(fitting, metric, vector, 5));
    expect(matches).toHaveLength(4);
    expect(receipt?.exact).toBe(true);
    expect(asked).not.toContain('codes');
    await engine.close();
  });
});

test('an engine makes segments by itself as rows come in, and two do not disturb each other', async () => {
  const store = await openFolderStore(await newFolder());
  const options = { store, maintenance: true, indexer: { flushRows: 300, graphMinRows: 1000 } };
  const engines = [await openOn(options), await openOn(options)];
  await engines[0]?.createCollection('c', { dimension: 8, metric: 'l2' });
  const collections = await Promise.all(engines.map((engine) => engine.collection('c')));
  const items = clusteredItems(4000, 8, 6);
  await Promise.all(
    collections.map(async (collection, w) => {
      for (let at = w * 100; at < items.length; at += 200) await collection.upsert(items.slice(at, at + 100));
    }),
  );
  for (let waited = 0; waited < 200; waited++) {
    if ((await (collections[0] as Collection).stats()).tailRows < 300) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const collection of collections) {
    const stats = await collection.stats();
    expect(stats.items).toBe(4000);
    expect(stats.tailRows).toBeLessThan(300);
    expect(stats.segments).toBeGreaterThan(0);
    const query = (items[9] as Item).vector;
    expect(ids((await collection.query({ vector: query, exact: true })).matches)).toEqual(
      expectedIds(items, 'l2', query, 10),
    );
  }
  expect((await (engines[0] as Awaited<ReturnType<typeof openOn>>).verify('c')).damaged).toEqual([]);
  for (const engine of engines) await engine.close();
});
