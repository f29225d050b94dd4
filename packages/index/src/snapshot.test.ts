import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookalikeError, MemoryStore } from '@lookalike/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportArrow, importArrow } from './arrow-exchange.ts';
import type { Collection, Item } from './engine.ts';
import { openEngine } from './open-engine.ts';

const day = 24 * 3_600_000;
let cacheFolder: string;
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'lookalike-snapshots-'));
});
afterAll(() => rm(cacheFolder, { recursive: true, force: true }));

class World {
  time = 1_700_000_000_000;
  readonly store = new MemoryStore({ now: () => this.time });

  engine() {
    return openEngine({
      store: this.store,
      now: () => this.time,
      commitWindow: 0,
      maintenance: false,
      cacheFolder,
    });
  }

  async keys(prefix = ''): Promise<string[]> {
    return (await this.store.list(prefix)).objects.map(({ key }) => key);
  }
}

const item = (n: number, shift = 0): Item => ({
  id: `id-${String(n).padStart(3, '0')}`,
  vector: Float32Array.of(n + shift, n * n, 1),
  metadata: { n, shift },
});
const items = (from: number, to: number, shift = 0) =>
  Array.from({ length: to - from }, (_, i) => item(from + i, shift));

async function contents(collection: Collection) {
  const { items } = await collection.scan({ limit: 1000, include: ['metadata', 'vector'] });
  return items;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof LookalikeError ? error.code : String(error)),
  );

/** A collection with rows in segments and in the tail, some of both dead. */
async function filled(world: World) {
  const engine = world.engine();
  await engine.createCollection('c', { dimension: 3, metric: 'l2' });
  const collection = await engine.collection('c');
  await collection.upsert(items(0, 100));
  await engine.compact('c');
  await collection.upsert(items(90, 130, 0.5));
  await collection.delete({ ids: ['id-003', 'id-125'] });
  return { engine, collection };
}

describe('a snapshot', () => {
  test('costs one object and keeps the collection as it was, to whoever opens it', async () => {
    const world = new World();
    const { engine, collection } = await filled(world);
    const before = await contents(collection);
    const query = { vector: Float32Array.of(95, 9000, 1), topK: 7, exact: true } as const;
    const expected = await collection.query(query);
    const keys = await world.keys();
    const { version } = await engine.createSnapshot('c', 'monday');
    expect((await world.keys()).filter((key) => !keys.includes(key))).toEqual([
      'collections/c/snapshots/monday',
    ]);
    expect(version).toBe(expected.version);

    await collection.delete({ filter: { field: 'n', gte: 0 } });
    await collection.upsert(items(500, 520));
    await engine.compact('c', { full: true });
    for (let i = 0; i < 3; i++) {
      world.time += 2 * day;
      await engine.collectGarbage('c');
    }
    const other = world.engine();
    for (const reader of [engine, other]) {
      const kept = await reader.openSnapshot('c', 'monday');
      expect(await contents(kept)).toEqual(before);
      expect(await kept.query(query)).toEqual(expected);
      expect((await kept.count()).count).toBe(before.length);
      expect((await kept.get(['id-003', 'id-100'])).map((found) => found?.metadata.shift)).toEqual([
        undefined,
        0.5,
      ]);
      expect(await codeOf(kept.upsert([item(1)]))).toBe('read-only');
      expect(await codeOf(kept.delete({ ids: ['id-001'] }))).toBe('read-only');
    }
    expect((await other.verify('c')).damaged).toEqual([]);
    expect((await contents(await other.collection('c'))).length).toBe(20);
  });

  test('keeps its segments stored until it is deleted, also when the collection is dropped', async () => {
    const world = new World();
    const { engine, collection } = await filled(world);
    const before = await contents(collection);
    await engine.createSnapshot('c', 'last');
    await engine.dropCollection('c');
    world.time += 2 * day;
    await engine.sweep();
    world.time += 2 * day;
    await engine.sweep();
    expect((await engine.listSnapshots('c')).map(({ name }) => name)).toEqual(['last']);
    const kept = await world.engine().openSnapshot('c', 'last');
    expect(await contents(kept)).toEqual(before);

    // A copy: a collection of its own.
    await engine.createCollection('again', { dimension: 3, metric: 'l2' });
    const copy = await engine.collection('again');
    expect(await importArrow(copy, exportArrow(kept))).toMatchObject({ stored: before.length });
    const plain = (all: Awaited<ReturnType<typeof contents>>) => all.map(({ version, ...rest }) => rest);
    expect(plain(await contents(copy))).toEqual(plain(before));

    await engine.deleteSnapshot('c', 'last');
    expect(await codeOf(engine.openSnapshot('c', 'last'))).toBe('unknown-snapshot');
    await engine.sweep();
    expect(await world.keys('collections/c/segments/')).toEqual([]);
  });

  test('has a name of its own, and says what is wrong', async () => {
    const world = new World();
    const { engine } = await filled(world);
    await engine.createSnapshot('c', 'a');
    expect(await codeOf(engine.createSnapshot('c', 'a'))).toBe('snapshot-exists');
    expect(await codeOf(engine.createSnapshot('c', '../x'))).toBe('invalid-snapshot-name');
    expect(await codeOf(engine.createSnapshot('none', 'a'))).toBe('unknown-collection');
    await engine.createSnapshot('c', 'b');
    expect(await engine.listSnapshots('c')).toMatchObject([{ name: 'a' }, { name: 'b' }]);
    await engine.deleteSnapshot('c', 'none');
  });

  test('that is damaged is found by verify, and stops the collection of garbage', async () => {
    const world = new World();
    const { engine, collection } = await filled(world);
    await engine.createSnapshot('c', 'a');
    const key = 'collections/c/snapshots/a';
    const body = (await world.store.get(key))?.body.slice() as Uint8Array;
    body[body.length >> 1] = (body[body.length >> 1] as number) ^ 1;
    await world.store.put(key, body);
    expect((await engine.verify('c')).damaged).toMatchObject([{ key, repairable: false }]);
    expect(await codeOf(engine.openSnapshot('c', 'a'))).toBe('damaged-object');
    await collection.delete({ filter: { field: 'n', gte: 0 } });
    await engine.compact('c', { full: true });
    world.time += 2 * day;
    await engine.compact('c');
    world.time += 2 * day;
    expect(await codeOf(engine.collectGarbage('c'))).toBe('damaged-object');
  });
});

test('a sweep leaves of a dropped collection two small objects, and goes on where one collection fails', async () => {
  const world = new World();
  const { engine } = await filled(world);
  await engine.createCollection('broken', { dimension: 3, metric: 'l2' });
  await engine.createCollection('live', { dimension: 3, metric: 'l2' });
  await (await engine.collection('live')).upsert(items(0, 10));
  await engine.dropCollection('c');
  await world.store.put('collections/broken/log/00000000000000000001', new Uint8Array(10));
  world.time += day / 2;
  // In the grace period whoever reads still finds everything.
  const early = await world.engine().sweep();
  expect(early.deleted).toBe(0);
  expect(early.failed).toMatchObject([{ collection: 'broken', error: { code: 'damaged-object' } }]);
  world.time += day;
  const swept = await world.engine().sweep();
  expect(swept.deleted).toBeGreaterThan(0);
  expect(await world.keys('collections/c/')).toEqual([
    expect.stringMatching(/^collections\/c\/checkpoints\/\d{20}$/),
    expect.stringMatching(/^collections\/c\/log\/\d{20}$/),
  ]);
  expect((await (await world.engine().collection('live')).count()).count).toBe(10);
  // Numbers go on: whoever still holds the old collection cannot write to the new one.
  const { version } = await engine.collection('live').then((live) => live.count());
  expect(version).toBe(2);
  await engine.createCollection('c', { dimension: 2, metric: 'l2' });
  expect((await (await engine.collection('c')).count()).version).toBeGreaterThan(4);
});

test('a snapshot that took so long that what it names may be gone is none', async () => {
  const world = new World();
  const { engine } = await filled(world);
  const put = world.store.put.bind(world.store);
  world.store.put = async (...call) => {
    world.time += day;
    return put(...call);
  };
  expect(await codeOf(engine.createSnapshot('c', 'late'))).toBe('write-failed');
  expect(await engine.listSnapshots('c')).toEqual([]);
});

test('what is no name is refused, and so is all of a closed engine', async () => {
  const { engine } = await filled(new World());
  const calls = (collection: string, snapshot: string) => [
    () => engine.createSnapshot(collection, snapshot),
    () => engine.openSnapshot(collection, snapshot),
    () => engine.deleteSnapshot(collection, snapshot),
  ];
  for (const call of calls('c/../d', 's'))
    await expect(call()).rejects.toMatchObject({ code: 'invalid-collection-name' });
  for (const call of calls('c', '../log/1'))
    await expect(call()).rejects.toMatchObject({ code: 'invalid-snapshot-name' });
  await engine.close();
  for (const call of [
    ...calls('c', 's'),
    () => engine.listSnapshots('c'),
    () => engine.verify('c'),
    () => engine.sweep(),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'closed' });
});

test('an engine that maintains collections removes what is left of dropped ones by itself', async () => {
  const world = new World();
  const { engine } = await filled(world);
  await engine.dropCollection('c');
  world.time += 2 * day;
  const keeper = openEngine({
    store: world.store,
    now: () => world.time,
    commitWindow: 0,
    cacheFolder,
    indexer: { flushRows: 10 },
  });
  await keeper.createCollection('other', { dimension: 3, metric: 'l2' });
  await (await keeper.collection('other')).upsert(items(0, 20));
  await expect.poll(() => world.keys('collections/c/segments/'), { timeout: 20_000 }).toEqual([]);
  await keeper.close();
});
