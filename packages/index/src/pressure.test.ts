import { MemoryStore, openFolderStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import type { Item } from './engine.ts';
import { ids } from './test-collections.ts';
import { clusteredItems, expectedIds, load, newFolder, openOn } from './test-segments.ts';

test.each([
  ['memory', 150_000],
  ['folder', 150_000],
  ['folder', 1000],
])(
  'answers are the same where not all of several segments fit into memory (%s, %i bytes)',
  async (kind, memoryBytes) => {
    const engine = await openOn({
      store: kind === 'memory' ? new MemoryStore() : await openFolderStore(await newFolder()),
      memoryBytes,
      indexer: { graphMinRows: 500, maxSegmentRows: 600, coarseMinBytes: 1000 },
    });
    await engine.createCollection('c', { dimension: 16, metric: 'l2' });
    const collection = await engine.collection('c');
    // Not the same number in every segment.
    const items = clusteredItems(2397, 16, 5);
    const metadata = new Map(items.map((item) => [item.id, item.metadata]));
    await load(collection, items);
    await engine.compact('c');
    expect((await collection.stats()).segments).toBeGreaterThan(3);
    expect(await engine.verify('c')).toMatchObject({ items: items.length, damaged: [] });
    for (let round = 0; round < 3; round++)
      for (const { vector } of [items[3], items[999], items[2001]] as [Item, Item, Item]) {
        const expected = expectedIds(items, 'l2', vector, 10).map((id) => ({
          id,
          metadata: metadata.get(id),
        }));
        for (const exact of [true, false])
          expect((await collection.query({ vector, topK: 10, exact })).matches).toMatchObject(expected);
      }
    await engine.close();
  },
);

test('writers wait for the indexer, and no write is lost or refused for it', async () => {
  const engine = await openOn({
    store: new MemoryStore(),
    maintenance: true,
    maxTailBytes: 20_000,
    indexer: { flushBytes: 10_000, settleTime: 0 },
  });
  await engine.createCollection('c', { dimension: 16, metric: 'l2' });
  const collection = await engine.collection('c');
  const items = clusteredItems(3000, 16, 6);
  for (let at = 0; at < items.length; at += 150) {
    const { results } = await collection.upsert(items.slice(at, at + 150));
    expect(results.every(({ status }) => status === 'stored')).toBe(true);
    // One write may come on top of what was room for.
    expect((await collection.stats()).tailRows).toBeLessThan(2 * 150);
  }
  expect(await collection.count()).toMatchObject({ count: 3000 });
  await engine.close();
});

test.each(['first', 'last'])(
  'of many rows nearly as near as each other the nearest are found (they come %s)',
  async (place) => {
    const engine = await openOn({ store: new MemoryStore(), indexer: { graphMinRows: 1e9 } });
    await engine.createCollection('c', { dimension: 2, metric: 'cosine' });
    const collection = await engine.collection('c');
    const count = 20_000;
    const items = Array.from({ length: count }, (_, i): Item => {
      const angle = (place === 'first' ? i : count - i) * 1e-6;
      return { id: String(i).padStart(6, '0'), vector: Float32Array.of(Math.cos(angle), Math.sin(angle)) };
    });
    for (let at = 0; at < count; at += 5000) await collection.upsert(items.slice(at, at + 5000));
    await engine.compact('c');
    const { matches } = await collection.query({ vector: Float32Array.of(1, 0), topK: 3, exact: true });
    const nearest = place === 'first' ? items.slice(0, 3) : items.slice(-3).reverse();
    expect(ids(matches)).toEqual(nearest.map(({ id }) => id));
    await engine.close();
  },
);
