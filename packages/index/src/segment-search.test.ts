import { MemoryStore, openFolderStore } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import { distance } from './distance.ts';
import type { Collection, Item, JsonValue } from './engine.ts';
import type { Filter } from './filter.ts';
import { ids } from './test-collections.ts';
import { clusteredItems, expectedIds, load, newFolder, openOn } from './test-segments.ts';

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
