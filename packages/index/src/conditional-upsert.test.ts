import { MemoryStore } from '@lookalike/store';
import { expect, it } from 'vitest';
import { openEngine } from './open-engine.ts';

async function openCollection(store = new MemoryStore()) {
  const engine = openEngine({ store, commitWindow: 0 });
  await engine.createCollection('c', { dimension: 1, metric: 'l2' });
  return engine.collection('c');
}

const item = (id: string, value: number, ifVersion?: number) => ({
  id,
  vector: Float32Array.of(value),
  ...(ifVersion === undefined ? {} : { ifVersion }),
});

it('stores an item only at the version that it names', async () => {
  const collection = await openCollection();
  const first = await collection.upsert([item('a', 1, 0), item('b', 1, 7)]);
  expect(first.results).toEqual([
    { id: 'a', status: 'stored' },
    { id: 'b', status: 'conflict', version: undefined },
  ]);
  const second = await collection.upsert([
    item('a', 2, 0),
    item('a', 3, first.version),
    item('a', 4, first.version),
  ]);
  expect(second.results).toMatchObject([
    { status: 'conflict', version: first.version },
    { status: 'stored' },
    { status: 'conflict', version: second.version },
  ]);
  expect((await collection.get(['a', 'b'])).map((one) => one?.vector?.[0])).toEqual([3, undefined]);
  await collection.delete({ ids: ['a'] });
  expect((await collection.upsert([item('a', 5, second.version)])).results).toMatchObject([
    { status: 'conflict' },
  ]);
  expect((await collection.upsert([item('a', 5, 0)])).results).toMatchObject([{ status: 'stored' }]);
});

it('refuses a version that is none, for that item alone', async () => {
  const collection = await openCollection();
  const { results } = await collection.upsert([item('a', 1, -1), item('b', 1, 1.5), item('c', 1)]);
  expect(results.map(({ status }) => status)).toEqual(['invalid', 'invalid', 'stored']);
});

it('lets exactly one of many racing engines win', async () => {
  const store = new MemoryStore();
  const racers = await Promise.all(Array.from({ length: 8 }, () => openCollection(store)));
  const written = await Promise.all(racers.map((racer, n) => racer.upsert([item('a', n, 0)])));
  const winners = written.flatMap(({ results }, n) => (results[0]?.status === 'stored' ? [n] : []));
  expect(winners).toHaveLength(1);
  const [stored] = await (racers[0] as (typeof racers)[number]).get(['a']);
  expect(stored?.vector?.[0]).toBe(winners[0]);
});
