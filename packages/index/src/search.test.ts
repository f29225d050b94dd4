import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import type { Collection } from './engine.ts';
import type { Filter } from './filter.ts';
import { openEngine } from './open-engine.ts';
import { codeOf, collectionOf, ids, vector } from './test-collections.ts';

const line = Array.from({ length: 100 }, (_, i) => ({
  id: `i${String(i).padStart(2, '0')}`,
  vector: vector(i, 0),
  metadata: { n: i, parity: i % 2 === 0 ? 'even' : 'odd', nested: { tag: `t${i % 3}` } },
}));

test('queries give the nearest first, ties by id, with distance and similarity', async () => {
  const collection = await collectionOf(line);
  const { matches } = await collection.query({ vector: vector(10, 0), topK: 5 });
  expect(ids(matches)).toEqual(['i10', 'i09', 'i11', 'i08', 'i12']);
  expect(matches[1]).toEqual({
    id: 'i09',
    distance: 1,
    similarity: 0.5,
    metadata: { n: 9, parity: 'odd', nested: { tag: 't0' } },
  });
  const bare = await collection.query({ vector: vector(10, 0), topK: 1, include: ['vector'] });
  expect(bare.matches).toEqual([{ id: 'i10', distance: 0, similarity: 1, vector: vector(10, 0) }]);
});

test('queries use the metric of the collection', async () => {
  const items = [
    { id: 'right', vector: vector(3, 0) },
    { id: 'diagonal', vector: vector(1, 1) },
    { id: 'left', vector: vector(-1, 0) },
  ];
  const query = { vector: vector(1, 0) };
  const distances = async (metric: 'cosine' | 'l2' | 'l1') =>
    (await (await collectionOf(items, metric)).query(query)).matches.map(
      (match) => [match.id, match.distance, match.similarity] as const,
    );
  expect(await distances('cosine')).toEqual([
    ['right', 0, 1],
    ['diagonal', 1 - 1 / Math.sqrt(2), expect.closeTo(Math.SQRT1_2, 12)],
    ['left', 2, 0],
  ]);
  expect(await distances('l2')).toEqual([
    ['diagonal', 1, 1 / 2],
    ['left', 2, 1 / 3],
    ['right', 2, 1 / 3],
  ]);
  expect(await distances('l1')).toEqual([
    ['diagonal', 1, 1 / 2],
    ['left', 2, 1 / 3],
    ['right', 2, 1 / 3],
  ]);
});

test('queries by id leave the item itself out', async () => {
  const collection = await collectionOf(line);
  expect(ids((await collection.query({ id: 'i50', topK: 2 })).matches)).toEqual(['i49', 'i51']);
  expect(await codeOf(collection.query({ id: 'nothing' }))).toBe('unknown-item');
});

test('queries honour filters', async () => {
  const collection = await collectionOf(line);
  const near = async (filter: Parameters<Collection['count']>[0]) =>
    ids((await collection.query({ vector: vector(10, 0), topK: 3, ...(filter && { filter }) })).matches);
  expect(await near({ field: 'parity', equals: 'odd' })).toEqual(['i09', 'i11', 'i07']);
  expect(await near({ field: 'n', gt: 50, lte: 52 })).toEqual(['i51', 'i52']);
  expect(await near({ field: 'n', in: [1, 99, '2'] })).toEqual(['i01', 'i99']);
  expect(await near({ field: 'nested.tag', equals: 't1' })).toEqual(['i10', 'i07', 'i13']);
  expect(await near({ field: 'n', gte: '5' })).toEqual([]);
  expect(await near({ not: { field: 'nested', exists: true } })).toEqual([]);
  expect(
    await near({
      or: [{ field: 'n', lt: 2 }, { and: [{ field: 'n', gt: 97 }, { not: { field: 'n', equals: 99 } }] }],
    }),
  ).toEqual(['i01', 'i00', 'i98']);
});

test('queries with minSimilarity alone page through everything that near', async () => {
  const engine = openEngine({ store: new MemoryStore(), commitWindow: 0, rangePageSize: 7 });
  await engine.createCollection('c', { dimension: 2, metric: 'l2' });
  const collection = await engine.collection('c');
  await collection.upsert(line);
  const minSimilarity = 1 / (1 + 15);
  const found: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await collection.query({
      vector: vector(50, 0),
      minSimilarity,
      ...(cursor && { cursor }),
    });
    found.push(...ids(page.matches));
    cursor = page.cursor;
    pages++;
  } while (cursor !== undefined);
  expect(pages).toBe(5);
  const whole = line.filter((_, i) => Math.abs(i - 50) <= 15).map((item) => item.id);
  expect([...found].sort()).toEqual(whole);
  expect(new Set(found).size).toBe(found.length);
  const capped = await collection.query({ vector: vector(50, 0), minSimilarity, topK: 4 });
  expect(ids(capped.matches)).toEqual(found.slice(0, 4));
  expect(capped.cursor).toBeUndefined();
});

test('minSimilarity 1 finds equal vectors, whatever their length', async () => {
  const twins = Array.from({ length: 50 }, (_, i) =>
    vector(Math.sin(i * 7 + 1) * 10 ** (i % 9), Math.cos(i) / 3),
  );
  const collection = await collectionOf(
    twins.map((twin, i) => ({ id: `t${i}`, vector: twin })),
    'cosine',
  );
  for (const [i, twin] of twins.entries())
    expect(ids((await collection.query({ vector: twin, minSimilarity: 1 })).matches)).toContain(`t${i}`);
});

test('queries refuse what makes no sense', async () => {
  const collection = await collectionOf(line);
  const good = vector(1, 1);
  const nested = (depth: number) =>
    Array.from({ length: depth }).reduce<Filter>((not) => ({ not }), { field: 'n', equals: 1 });
  expect(await codeOf(collection.query({ vector: good, filter: nested(31) }))).toBe('no error');
  for (const [request, code] of [
    [{ vector: good, filter: nested(32) }, 'invalid-filter'],
    [{ vector: good, filter: { and: [nested(31)] } }, 'invalid-filter'],
    [{ id: 'a\nb' }, 'invalid-id'],
    [{}, 'invalid-request'],
    [{ vector: good, id: 'i00' }, 'invalid-request'],
    [{ vector: vector(1) }, 'invalid-vector'],
    [{ vector: vector(1, Number.NaN) }, 'invalid-vector'],
    [{ vector: good, topK: 0 }, 'invalid-request'],
    [{ vector: good, topK: 10_001 }, 'invalid-request'],
    [{ vector: good, minSimilarity: 1.1 }, 'invalid-request'],
    [{ vector: good, minSimilarity: Number.NaN }, 'invalid-request'],
    [{ vector: good, ef: 0 }, 'invalid-request'],
    [{ vector: good, minSimilarity: 0.5, cursor: 'garbage' }, 'invalid-request'],
    [{ vector: good, cursor: 'WzEsImEiXQ' }, 'invalid-request'],
    [{ vector: good, include: ['everything' as 'vector'] }, 'invalid-request'],
    [{ vector: good, filter: { field: 'a', equals: {} } as never }, 'invalid-filter'],
  ] as const)
    expect([request, await codeOf(collection.query(request))]).toEqual([request, code]);
});

test('queries explain themselves', async () => {
  const collection = await collectionOf(line);
  const { receipt, version } = await collection.query({ vector: vector(1, 1), explain: true });
  expect(receipt).toMatchObject({
    version,
    exact: true,
    warm: true,
    rowsScanned: 100,
    store: { requests: 1 },
  });
});
