import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
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
