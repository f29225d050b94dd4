import { MemoryStore } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import type { Item } from './engine.ts';
import { ids } from './test-collections.ts';
import { clusteredItems, expectedIds, load, openOn } from './test-segments.ts';

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
