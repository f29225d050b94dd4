import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import type { Collection } from './engine.ts';
import { collectionOf, engineOn, vector } from './test-collections.ts';

test('unlessSimilar stores one of many near twins that race', async () => {
  const store = new MemoryStore();
  const engines = Array.from({ length: 5 }, () => engineOn(store));
  await (engines[0] as ReturnType<typeof engineOn>).createCollection('c', {
    dimension: 2,
    metric: 'cosine',
  });
  const collections = await Promise.all(engines.map((engine) => engine.collection('c')));
  for (let round = 0; round < 10; round++) {
    const angle = (round / 10) * Math.PI;
    const results = await Promise.all(
      collections.map((collection, w) =>
        collection.upsert(
          [
            {
              id: `r${round}w${w}`,
              vector: vector(Math.cos(angle + w * 1e-4), Math.sin(angle + w * 1e-4)),
            },
          ],
          { unlessSimilar: 0.999 },
        ),
      ),
    );
    const outcomes = results.map((result) => result.results[0]);
    const stored = outcomes.filter((outcome) => outcome?.status === 'stored');
    expect(stored).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome?.status === 'similar') expect(outcome.match.id).toBe(stored[0]?.id);
  }
  expect((await (collections[0] as Collection).count()).count).toBe(10);
});

test('unlessSimilar sees earlier items of its batch, and not what the batch replaces', async () => {
  const collection = await collectionOf([{ id: 'old', vector: vector(0, 0) }]);
  const { results } = await collection.upsert(
    [
      { id: 'x', vector: vector(100, 0), metadata: { first: true } },
      { id: 'y', vector: vector(100, 0.001) },
      { id: 'z', vector: vector(0, 0.001) },
    ],
    { unlessSimilar: 0.99 },
  );
  expect(results).toMatchObject([
    { id: 'x', status: 'stored' },
    { id: 'y', status: 'similar', match: { id: 'x', metadata: { first: true } } },
    { id: 'z', status: 'similar', match: { id: 'old' } },
  ]);
});

test('unlessSimilar does not find the item itself: it can be changed, and a write whose answer was lost be repeated', async () => {
  const collection = await collectionOf([{ id: 'other', vector: vector(100, 0) }]);
  const put = async (x: number, y: number, edition: number) =>
    (
      await collection.upsert([{ id: 'a', vector: vector(x, y), metadata: { edition } }], {
        unlessSimilar: 0.99,
      })
    ).results[0];
  expect(await put(0, 0, 1)).toMatchObject({ status: 'stored' });
  expect(await put(0, 0, 1)).toMatchObject({ status: 'stored' });
  expect(await put(0, 0.001, 2)).toMatchObject({ status: 'stored' });
  expect((await collection.get(['a'], { include: ['metadata'] }))[0]).toMatchObject({
    metadata: { edition: 2 },
  });
  // What is like another one is still refused, also where its earlier self is nearer, and the earlier one stays.
  const twin = vector(0, 0.002);
  await collection.upsert([{ id: 'twin', vector: twin }]);
  expect(await put(0, 0.001, 3)).toMatchObject({ status: 'similar', match: { id: 'twin' } });
  expect((await collection.get(['a'], { include: ['metadata'] }))[0]).toMatchObject({
    metadata: { edition: 2 },
  });

  const { results } = await collection.upsert(
    [
      { id: 'b', vector: vector(50, 50) },
      { id: 'b', vector: vector(50, 50.001) },
      { id: 'c', vector: vector(50, 50) },
    ],
    { unlessSimilar: 0.99 },
  );
  expect(results).toMatchObject([
    { status: 'stored' },
    { status: 'stored' },
    { status: 'similar', match: { id: 'b' } },
  ]);
});
