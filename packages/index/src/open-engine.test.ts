import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type GetOptions, MemoryStore } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import { openEngine } from './open-engine.ts';
import { codeOf, engineOn, vector } from './test-collections.ts';

test('collections are created once, described, listed and dropped', async () => {
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

test('bad names and configurations are refused', async () => {
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

describe('of collections that nobody has opened', () => {
  const config = { dimension: 2, metric: 'l2' } as const;

  test('a list reads no items, and is always the newest', async () => {
    let time = 1_700_000_000_000;
    const now = () => time;
    const store = new MemoryStore({ now });
    const open = () => openEngine({ store, now, commitWindow: 0, maintenance: false });
    const writer = open();
    for (const name of ['a', 'b', 'c', 'd']) {
      await writer.createCollection(name, config);
      await (await writer.collection(name)).upsert([{ id: 'x', vector: vector(1, 1) }]);
    }
    for (const name of ['a', 'b', 'c']) await writer.compact(name);
    const got: string[] = [];
    const get = store.get.bind(store);
    store.get = (async (key: string, options?: GetOptions) => {
      got.push(key);
      return get(key, options);
    }) as MemoryStore['get'];
    const reader = open();
    const listed = async () => {
      const { collections } = await reader.listCollections();
      return Object.fromEntries(collections.map(({ name, dimension }) => [name, dimension]));
    };
    expect(await listed()).toEqual({ a: 2, b: 2, c: 2, d: 2 });
    expect(got.filter((key) => key.includes('/segments/'))).toEqual([]);

    await writer.dropCollection('a');
    await writer.dropCollection('b');
    await writer.createCollection('b', { ...config, dimension: 3 });
    await writer.createCollection('e', { ...config, dimension: 5 });
    expect(await listed()).toEqual({ b: 3, c: 2, d: 2, e: 5 });

    // Commits are gone whose effects are known from checkpoints only.
    await writer.dropCollection('c');
    for (let day = 0; day < 4; day++) {
      time += 30 * 3_600_000;
      await writer.sweep();
    }
    expect(await store.get('collections/b/log/00000000000000000001')).toBeUndefined();
    expect(await listed()).toEqual({ b: 3, d: 2, e: 5 });

    // A damaged checkpoint is done without, where an older one and the commits after it say the same.
    await writer.createCollection('f', config);
    await (await writer.collection('f')).upsert([{ id: 'x', vector: vector(1, 1) }]);
    await writer.compact('f');
    const key = (await store.list('collections/f/checkpoints/')).objects.at(-1)?.key as string;
    await store.put(key, new Uint8Array(100));
    expect(await listed()).toEqual({ b: 3, d: 2, e: 5, f: 2 });
    await Promise.all([writer.close(), reader.close()]);
  });

  test('what is asked about and not there leaves nothing in memory', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const engine = openEngine({ store: new MemoryStore(), commitWindow: 0, maintenance: false });
    const ask = async (from: number, to: number) => {
      for (let n = from; n < to; n++)
        await engine.collection(`none-${n}`).catch((error) => expect(error.code).toBe('unknown-collection'));
    };
    await ask(0, 1000);
    const before = held();
    await ask(1000, 6000);
    expect((held() - before) / 5000).toBeLessThan(500);
    await engine.close();
  });
});
