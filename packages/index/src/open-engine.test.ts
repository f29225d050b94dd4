import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookalikeError, MemoryStore, type ObjectStore, openFolderStore } from '@lookalike/store';
import { afterAll, describe, expect, test } from 'vitest';
import type { Collection, Item, JsonValue } from './engine.ts';
import { openEngine } from './open-engine.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lookalike-engine-'));
  folders.push(path);
  return path;
}

function engineOn(store: ObjectStore) {
  return openEngine({ store, commitWindow: 5 });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof LookalikeError ? error.code : String(error);
  }
}

const vector = (...values: number[]) => Float32Array.from(values);
const ids = (matches: readonly { id: string }[]) => matches.map((match) => match.id);

async function collectionOf(items: Item[], metric: 'cosine' | 'l2' | 'l1' = 'l2'): Promise<Collection> {
  const engine = engineOn(new MemoryStore());
  await engine.createCollection('c', { dimension: 2, metric });
  const collection = await engine.collection('c');
  await collection.upsert(items);
  return collection;
}

describe('collections', () => {
  test('are created once, described, listed and dropped', async () => {
    const engine = engineOn(new MemoryStore());
    const config = { dimension: 3, metric: 'cosine', encoder: { name: 'e', hash: 'h1' } } as const;
    const info = await engine.createCollection('photos', config);
    expect(info).toEqual({ name: 'photos', ...config, hnsw: { m: 16, efConstruction: 200 } });
    expect(await engine.createCollection('photos', config)).toEqual(info);
    expect(await codeOf(engine.createCollection('photos', { ...config, dimension: 4 }))).toBe(
      'collection-exists',
    );
    expect(
      await codeOf(engine.createCollection('photos', { ...config, encoder: { name: 'e', hash: 'h2' } })),
    ).toBe('collection-exists');
    for (const name of ['photos-2', 'photos.b', 'a', 'Z']) await engine.createCollection(name, config);
    const all = await engine.listCollections();
    expect(all.collections.map((entry) => entry.name).sort()).toEqual([
      'Z',
      'a',
      'photos',
      'photos-2',
      'photos.b',
    ]);
    const paged: string[] = [];
    for (let after: string | undefined, pages = 0; pages < 10; pages++) {
      const page = await engine.listCollections({ limit: 2, ...(after && { after }) });
      paged.push(...page.collections.map((entry) => entry.name));
      after = page.next;
      if (after === undefined) break;
    }
    expect(paged).toEqual(all.collections.map((entry) => entry.name));
    await engine.dropCollection('a');
    expect(await codeOf(engine.dropCollection('a'))).toBe('unknown-collection');
    expect(await codeOf(engine.collection('a'))).toBe('unknown-collection');
    expect((await engine.listCollections()).collections).toHaveLength(4);
  });

  test('a dropped collection refuses its old handles, and a new one of that name begins empty', async () => {
    const store = new MemoryStore();
    const [one, other] = [engineOn(store), engineOn(store)];
    await one.createCollection('c', { dimension: 2, metric: 'l2' });
    const handle = await other.collection('c');
    await handle.upsert([{ id: 'a', vector: vector(1, 1) }]);
    await one.dropCollection('c');
    expect(await codeOf(handle.upsert([{ id: 'b', vector: vector(1, 1) }]))).toBe('unknown-collection');
    expect(await codeOf(handle.query({ vector: vector(1, 1) }))).toBe('unknown-collection');
    await one.createCollection('c', { dimension: 1, metric: 'l1' });
    expect(await codeOf(handle.count())).toBe('unknown-collection');
    const anew = await other.collection('c');
    expect(anew.info.dimension).toBe(1);
    expect((await anew.count()).count).toBe(0);
  });

  test('refuse bad names and configurations', async () => {
    const engine = engineOn(new MemoryStore());
    const good = { dimension: 2, metric: 'l2' } as const;
    for (const name of ['', '../x', 'a/b', '.hidden', 'a b', 'x'.repeat(65), '__proto__'])
      expect([name, await codeOf(engine.createCollection(name, good))]).toEqual([
        name,
        'invalid-collection-name',
      ]);
    for (const bad of [
      { dimension: 0 },
      { dimension: 4097 },
      { dimension: 1.5 },
      { metric: 'dot' as 'l2' },
      { hnsw: { m: 0 } },
      { hnsw: { efConstruction: 1 } },
    ])
      expect([bad, await codeOf(engine.createCollection('c', { ...good, ...bad }))]).toEqual([
        bad,
        'invalid-config',
      ]);
  });

  test('close waits for writes and refuses what comes after', async () => {
    const engine = openEngine({ store: new MemoryStore(), commitWindow: 30 });
    await engine.createCollection('c', { dimension: 2, metric: 'l2' });
    const collection = await engine.collection('c');
    await collection.upsert([{ id: 'a', vector: vector(1, 1) }]);
    let done = false;
    const write = collection.upsert([{ id: 'b', vector: vector(1, 1) }]).then(() => {
      done = true;
    });
    await engine.close();
    expect(done).toBe(true);
    await write;
    expect(await codeOf(collection.query({ vector: vector(1, 1) }))).toBe('closed');
    expect(await codeOf(engine.listCollections())).toBe('closed');
  });
});

describe('writes', () => {
  test('store, replace and delete; the last writer of an id wins', async () => {
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
    const metadata = JSON.parse('{"__proto__":{"polluted":true},"constructor":"c","toString":1}');
    const collection = await collectionOf([{ id: 'a', vector: vector(1, 1), metadata }]);
    const [stored] = await collection.get(['a']);
    expect(JSON.stringify(stored?.metadata)).toBe(JSON.stringify(metadata));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    const count = async (filter: Parameters<Collection['count']>[0]) =>
      (await collection.count(filter)).count;
    expect(await count({ field: 'hasOwnProperty', exists: true })).toBe(0);
    expect(await count({ field: '__proto__.polluted', equals: true })).toBe(1);
    expect(await count({ field: 'constructor.name', exists: true })).toBe(0);
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
});

describe('several engines on one store', () => {
  test.each(['memory', 'folder'])(
    'every acknowledged write is seen at once by the others (%s)',
    async (kind) => {
      const path = await folder();
      const shared = new MemoryStore();
      const open = async () => engineOn(kind === 'memory' ? shared : await openFolderStore(path));
      const engines = await Promise.all([open(), open(), open(), open()]);
      await (engines[0] as ReturnType<typeof engineOn>).createCollection('c', { dimension: 2, metric: 'l2' });
      const collections = await Promise.all(engines.map((engine) => engine.collection('c')));
      await Promise.all(
        collections.map(async (collection, w) => {
          for (let i = 0; i < 25; i++) {
            const { version } = await collection.upsert([{ id: `w${w}-${i}`, vector: vector(w, i) }]);
            const other = collections[(w + 1) % collections.length] as Collection;
            const { matches, version: read } = await other.query({ vector: vector(w, i), topK: 1 });
            expect(read).toBeGreaterThanOrEqual(version);
            expect(ids(matches)).toEqual([`w${w}-${i}`]);
          }
        }),
      );
      for (const collection of collections) expect((await collection.count()).count).toBe(100);
      const late = await (await open()).collection('c');
      expect((await late.scan({ limit: 1000 })).items).toHaveLength(100);
    },
  );

  test('a reader may insist on a version, and an eventual one need not look', async () => {
    const store = new MemoryStore();
    const [writer, reader] = [engineOn(store), engineOn(store)];
    await writer.createCollection('c', { dimension: 2, metric: 'l2' });
    const [written, read] = [await writer.collection('c'), await reader.collection('c')];
    const { version } = await written.upsert([{ id: 'a', vector: vector(0, 0) }]);
    const request = { vector: vector(0, 0), consistency: 'eventual' } as const;
    expect((await read.query(request)).matches).toEqual([]);
    expect(ids((await read.query({ ...request, minVersion: version })).matches)).toEqual(['a']);
    expect(await codeOf(read.query({ ...request, minVersion: version + 1 }))).toBe('unknown-version');
  });

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
});

describe('queries', () => {
  const line = Array.from({ length: 100 }, (_, i) => ({
    id: `i${String(i).padStart(2, '0')}`,
    vector: vector(i, 0),
    metadata: { n: i, parity: i % 2 === 0 ? 'even' : 'odd', nested: { tag: `t${i % 3}` } },
  }));

  test('give the nearest first, ties by id, with distance and similarity', async () => {
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

  test('use the metric of the collection', async () => {
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

  test('by id leave the item itself out', async () => {
    const collection = await collectionOf(line);
    expect(ids((await collection.query({ id: 'i50', topK: 2 })).matches)).toEqual(['i49', 'i51']);
    expect(await codeOf(collection.query({ id: 'nothing' }))).toBe('unknown-item');
  });

  test('honour filters', async () => {
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

  test('with minSimilarity alone page through everything that near', async () => {
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

  test('refuse what makes no sense', async () => {
    const collection = await collectionOf(line);
    const good = vector(1, 1);
    for (const [request, code] of [
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

  test('explain themselves', async () => {
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
});

describe('scan', () => {
  test('gives live items in id order, in pages', async () => {
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
});

test('stats and recall describe the collection', async () => {
  const collection = await collectionOf(
    Array.from({ length: 50 }, (_, i) => ({ id: `i${i}`, vector: vector(i, i * i) })),
  );
  await collection.delete({ ids: ['i1'] });
  expect(await collection.stats()).toMatchObject({ items: 49, tailRows: 49, deletedRows: 1, segments: 0 });
  expect((await collection.stats()).bytes.log).toBeGreaterThan(50 * 8);
  expect(await collection.recall({ sample: 20, k: 5 })).toMatchObject({ sample: 20, k: 5, recall: 1 });
});
