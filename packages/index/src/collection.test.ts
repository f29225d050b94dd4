import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import type { Collection, Item, JsonValue } from './engine.ts';
import { openEngine } from './open-engine.ts';
import { codeOf, collectionOf, ids, vector } from './test-collections.ts';

test('writes store, replace and delete; the last writer of an id wins', async () => {
  const collection = await collectionOf([
    { id: 'a', vector: vector(0, 0), metadata: { n: 1 } },
    { id: 'b', vector: vector(1, 0) },
    { id: 'a', vector: vector(5, 0), metadata: { n: 2 } },
  ]);
  const [a, b, missing] = await collection.get(['a', 'b', 'c']);
  expect(a).toMatchObject({ id: 'a', metadata: { n: 2 }, vector: vector(5, 0) });
  expect(b).toMatchObject({ id: 'b', metadata: {} });
  expect(missing).toBeUndefined();
  const { deleted } = await collection.delete({ ids: ['a', 'a', 'nothing'] });
  expect(deleted).toBe(1);
  expect(ids((await collection.query({ vector: vector(5, 0) })).matches)).toEqual(['b']);
  expect((await collection.delete({ ids: ['a'] })).deleted).toBe(0);
  const again = await collection.upsert([{ id: 'a', vector: vector(9, 9) }]);
  expect((await collection.get(['a']))[0]?.version).toBe(again.version);
  expect((await collection.count()).count).toBe(2);
});

test('one bad item never loses the others, and its error says what was wrong', async () => {
  const collection = await collectionOf([], 'cosine');
  const good = vector(1, 2);
  const cyclic: Record<string, JsonValue> = {};
  cyclic.self = cyclic;
  const cases: [unknown, string, RegExp][] = [
    [{ id: 'nan', vector: vector(1, Number.NaN) }, 'invalid-vector', /NaN at position 1/],
    [{ id: 'inf', vector: vector(Number.POSITIVE_INFINITY, 1) }, 'invalid-vector', /Infinity/],
    [{ id: 'zero', vector: vector(0, 0) }, 'invalid-vector', /all zero/],
    [{ id: 'short', vector: vector(1) }, 'invalid-vector', /1 numbers, expected 2/],
    [{ id: 'list', vector: [1, 2] }, 'invalid-vector', /Float32Array/],
    [{ id: '', vector: good }, 'invalid-id', /empty/],
    [{ id: 'a\nb', vector: good }, 'invalid-id', /control/],
    [{ id: 'é'.repeat(257), vector: good }, 'invalid-id', /514 bytes/],
    [{ id: 'half \ud800', vector: good }, 'invalid-id', /well-formed/],
    [{ id: 7, vector: good }, 'invalid-id', /number/],
    [null, 'invalid-item', /null/],
    [{ id: 'm1', vector: good, metadata: [] }, 'invalid-metadata', /object/],
    [{ id: 'm2', vector: good, metadata: { a: Number.NaN } }, 'invalid-metadata', /NaN/],
    [{ id: 'm3', vector: good, metadata: { a: undefined } }, 'invalid-metadata', /undefined/],
    [{ id: 'm4', vector: good, metadata: { a: 'x'.repeat(65_536) } }, 'invalid-metadata', /65544 bytes/],
    [{ id: 'm5', vector: good, metadata: { a: new Date() } }, 'invalid-metadata', /no JSON/],
    [{ id: 'm7', vector: good, metadata: { a: [1, Number.NaN] } }, 'invalid-metadata', /NaN/],
    [{ id: 'm8', vector: good, metadata: { a: { b: 1, c: -1 / 0 } } }, 'invalid-metadata', /-Infinity/],
    [{ id: 'm6', vector: good, metadata: cyclic }, 'invalid-metadata', /nested/],
  ];
  const { results } = await collection.upsert([
    { id: 'first', vector: good },
    ...cases.map(([item]) => item as Item),
    { id: 'last', vector: good },
  ]);
  expect(results.at(0)).toEqual({ id: 'first', status: 'stored' });
  expect(results.at(-1)).toEqual({ id: 'last', status: 'stored' });
  for (const [i, [item, code, message]] of cases.entries()) {
    const result = results[i + 1];
    expect([item, result]).toMatchObject([item, { status: 'invalid', error: { code } }]);
    expect(result?.status === 'invalid' && result.error.message).toMatch(message);
  }
  expect((await collection.count()).count).toBe(2);
});

test('metadata with names of Object.prototype are plain data', async () => {
  const metadata = JSON.parse('{"__proto__":{"polluted":true},"constructor":"c","toString":1,"none":null}');
  const collection = await collectionOf([{ id: 'a', vector: vector(1, 1), metadata }]);
  const [stored] = await collection.get(['a']);
  expect(JSON.stringify(stored?.metadata)).toBe(JSON.stringify(metadata));
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  const count = async (filter: Parameters<Collection['count']>[0]) => (await collection.count(filter)).count;
  expect(await count({ field: 'hasOwnProperty', exists: true })).toBe(0);
  expect(await count({ field: '__proto__.polluted', equals: true })).toBe(1);
  for (const field of ['constructor.name', 'constructor.length', 'none.length'])
    expect(await count({ field, exists: true })).toBe(0);
  expect(await count({ field: 'toString', equals: 1 })).toBe(1);
});

test('nobody sees arrays that a caller changes afterwards', async () => {
  const mine = vector(1, 2);
  const metadata = { tag: 'x' };
  const engine = openEngine({ store: new MemoryStore(), commitWindow: 20 });
  await engine.createCollection('c', { dimension: 2, metric: 'l2' });
  const collection = await engine.collection('c');
  const write = collection.upsert([{ id: 'a', vector: mine, metadata }]);
  mine.fill(9);
  metadata.tag = 'changed';
  await write;
  const [first] = await collection.get(['a']);
  expect(first).toMatchObject({ vector: vector(1, 2), metadata: { tag: 'x' } });
  first?.vector?.fill(0);
  expect((await collection.get(['a']))[0]?.vector).toEqual(vector(1, 2));
});

test('writes that arrive together share a commit', async () => {
  const engine = openEngine({ store: new MemoryStore(), commitWindow: 50 });
  await engine.createCollection('c', { dimension: 2, metric: 'l2' });
  const collection = await engine.collection('c');
  const together = await Promise.all(
    Array.from({ length: 20 }, (_, i) => collection.upsert([{ id: `i${i}`, vector: vector(i, 0) }])),
  );
  expect(new Set(together.map((result) => result.version)).size).toBe(1);
  expect((await collection.count()).count).toBe(20);
});

test('delete by filter takes what matches, and says how many', async () => {
  const collection = await collectionOf(
    Array.from({ length: 10 }, (_, i) => ({
      id: `i${i}`,
      vector: vector(i, 0),
      metadata: { even: i % 2 === 0 },
    })),
  );
  expect((await collection.delete({ filter: { field: 'even', equals: true } })).deleted).toBe(5);
  expect((await collection.delete({ filter: { field: 'even', equals: true } })).deleted).toBe(0);
  expect((await collection.scan()).items.map((item) => item.id)).toEqual(['i1', 'i3', 'i5', 'i7', 'i9']);
  expect(await codeOf(collection.delete({ filter: { field: 'x' } as never }))).toBe('invalid-filter');
});

test('a scan gives live items in id order, in pages', async () => {
  const names = ['b', 'a', 'é', 'z', '😀', '\uffee', 'a0', 'A'];
  const collection = await collectionOf(
    names.map((id, i) => ({ id, vector: vector(i, 0), metadata: { i } })),
  );
  await collection.delete({ ids: ['z'] });
  const expected = names
    .filter((name) => name !== 'z')
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await collection.scan({ limit: 2, ...(after && { after }) });
    found.push(...ids(page.items));
    after = page.next;
  } while (after !== undefined);
  expect(found).toEqual(expected);
  const filtered = await collection.scan({ filter: { field: 'i', lt: 2 }, include: ['vector'] });
  expect(filtered.items).toMatchObject([{ id: 'a', vector: vector(1, 0) }, { id: 'b' }]);
  expect(filtered.next).toBeUndefined();
});

test('stats and recall describe the collection', async () => {
  const collection = await collectionOf(
    Array.from({ length: 50 }, (_, i) => ({ id: `i${i}`, vector: vector(i, i * i) })),
  );
  await collection.delete({ ids: ['i1'] });
  expect(await collection.stats()).toMatchObject({
    items: 49,
    tailRows: 49,
    tailCommits: 2,
    deletedRows: 1,
    segments: 0,
  });
  expect((await collection.stats()).bytes.log).toBeGreaterThan(50 * 8);
  for (const sample of [20, 45])
    expect(await collection.recall({ sample, k: 5 })).toMatchObject({ sample, k: 5, recall: 1 });
  expect(await collection.recall({ sample: 60 })).toMatchObject({ sample: 49, recall: 1 });
});
