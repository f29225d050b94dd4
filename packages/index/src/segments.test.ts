import { MemoryStore, openFolderStore } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import { distance } from './distance.ts';
import type { Collection, Item } from './engine.ts';
import { ids } from './test-collections.ts';
import { clusteredItems, expectedIds, load, newFolder, openOn } from './test-segments.ts';

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
