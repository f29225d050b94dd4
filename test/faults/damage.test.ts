import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweepEveryCollection } from '@lookalike/api';
import { openEngine } from '@lookalike/index';
import { LookalikeError, MemoryStore, type ObjectStore, openFolderStore } from '@lookalike/store';
import { beforeAll, describe, expect, test } from 'vitest';

const dimension = 8;
const vectorOf = (i: number) =>
  Float32Array.from({ length: dimension }, (_, d) => Math.sin(i * 1.7 + d * 0.9 * i));
const items = Array.from({ length: 400 }, (_, i) => ({
  id: `id-${i}`,
  vector: vectorOf(i),
  metadata: { n: i },
}));

function open(store: ObjectStore) {
  return openEngine({
    store,
    commitWindow: 0,
    maintenance: false,
    // A folder of its own each time: what is kept of good objects must not hide bad ones.
    cacheFolder: join(tmpdir(), `lookalike-damage-${Math.random()}`),
    indexer: { graphMinRows: 100, coarseMinBytes: 1000 },
  });
}

const objects = new Map<string, Uint8Array>();
let expected: string[];

/** Of a kind of object, the newest. */
const kinds = {
  // Not the newest: that one is missing is what its author would see who was a moment too early.
  commit: (key: string) => key.endsWith('/log/00000000000000000004'),
  checkpoint: (key: string) => key.includes('/checkpoints/'),
  rows: (key: string) => key.endsWith('/rows.arrows'),
  keys: (key: string) => key.endsWith('/keys'),
  codes: (key: string) => key.endsWith('/codes'),
  coarse: (key: string) => key.endsWith('/coarse'),
  graph: (key: string) => key.endsWith('/graph.hnsw'),
};
/** Caches of the rows, and of the log: nothing is lost with them. */
const repairable = ['checkpoint', 'keys', 'codes', 'coarse', 'graph'];

beforeAll(async () => {
  const store = new MemoryStore();
  const engine = open(store);
  await engine.createCollection('c', { dimension, metric: 'cosine' });
  const collection = await engine.collection('c');
  await collection.upsert(items.slice(0, 300));
  await engine.compact('c');
  await collection.upsert(items.slice(300));
  await collection.delete({ ids: ['id-7'] });
  expected = await answer(store);
  for (const { key } of (await store.list('')).objects)
    objects.set(key, (await store.get(key))?.body as Uint8Array);
  await engine.close();
});

async function damaged(kind: keyof typeof kinds, damage: (bytes: Uint8Array) => Uint8Array | undefined) {
  const key = [...objects.keys()].filter(kinds[kind]).at(-1) as string;
  const store = new MemoryStore();
  for (const [other, bytes] of objects) {
    const body = other === key ? damage(bytes.slice()) : bytes;
    if (body !== undefined) await store.put(other, body);
  }
  return { store, key };
}

/** Everything a reader who knows nothing can ask: search, filter, rows, metadata, vectors. */
async function answer(store: MemoryStore): Promise<string[]> {
  const engine = open(store);
  try {
    const collection = await engine.collection('c');
    const seen: string[] = [];
    for (const query of [5, 150, 350]) {
      const request = {
        vector: vectorOf(query),
        topK: 20,
        exact: true,
        include: ['metadata', 'vector'] as const,
      };
      for (const { matches } of await collection.queryBatch([
        // The first: one that need not be proven takes the coarse codes while there are no others.
        { ...request, exact: false },
        request,
        { ...request, filter: { field: 'n', gt: 100 } },
      ]))
        seen.push(
          JSON.stringify(matches.map(({ id, metadata, vector }) => [id, metadata, [...(vector ?? [])]])),
        );
    }
    const { items } = await collection.scan({ limit: 1000, include: ['vector'] });
    seen.push(JSON.stringify(items.map(({ id, version, vector }) => [id, version, [...(vector ?? [])]])));
    return seen;
  } finally {
    await engine.close();
  }
}

const flip = (share: number) => (bytes: Uint8Array) => {
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * share));
  bytes[at] = (bytes[at] as number) ^ 0x10;
  return bytes;
};
const damages: [string, (bytes: Uint8Array) => Uint8Array | undefined][] = [
  ...[0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map((share): [string, ReturnType<typeof flip>] => [
    `with a bit flipped at ${share * 100}%`,
    flip(share),
  ]),
  ['cut to nothing', () => new Uint8Array(0)],
  ['cut by a byte', (bytes) => bytes.subarray(0, -1)],
  ['cut in half', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['with a byte too many', (bytes) => Uint8Array.from([...bytes, 0])],
  ['filled with zeros', (bytes) => bytes.fill(0)],
  ['missing', () => undefined],
];

test('rows that are read from where a folder has them are checked, too', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-damage-'));
  const store = await openFolderStore(root);
  const writer = open(store);
  await writer.createCollection('c', { dimension, metric: 'cosine' });
  await (await writer.collection('c')).upsert(items.slice(0, 50));
  await writer.compact('c');
  await writer.close();
  const { objects } = await store.list('collections/c/segments/');
  const { key } = objects.find((object) => object.key.endsWith('/rows.arrows')) as { key: string };
  const path = join(root, ...key.split('/'));
  const whole = await readFile(path);
  const ids = items.slice(0, 50).map(({ id }) => id);
  const read = async () => {
    const engine = open(store);
    try {
      // Nothing is in memory that could tell it.
      return await (await engine.collection('c')).get(ids, { include: ['metadata', 'vector'] });
    } finally {
      await engine.close();
    }
  };
  const right = await read();
  let noticed = 0;
  for (let at = 0; at < whole.length; at += 37) {
    await writeFile(path, whole.with(at, (whole[at] as number) ^ 4));
    const outcome = await read().catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'damaged-object', details: { key } });
    else expect(outcome).toEqual(right);
    if (outcome instanceof Error) noticed++;
  }
  expect(noticed).toBeGreaterThan(20);
  await rm(root, { recursive: true });
});

test('that the last commits of a checkpoint are gone is not taken for the state before them', async () => {
  const store = new MemoryStore();
  const engine = open(store);
  await engine.createCollection('c', { dimension, metric: 'cosine' });
  const collection = await engine.collection('c');
  await collection.upsert(items.slice(0, 10));
  await engine.compact('c');
  await collection.upsert(items.slice(10, 20));
  const { version } = await collection.upsert(items.slice(20, 30));
  await engine.collectGarbage('c');
  await engine.close();
  const key = `collections/c/log/${String(version).padStart(20, '0')}`;
  await store.delete([key]);

  const reader = open(store);
  for (let attempt = 0; attempt < 2; attempt++)
    await expect(reader.collection('c')).rejects.toMatchObject({ code: 'missing-object', details: { key } });
  expect((await reader.verify('c')).damaged).toMatchObject([{ key, repairable: false }]);
  await reader.close();
});

test('a damaged collection keeps none of the others from the list, nor from being swept', async () => {
  const store = new MemoryStore();
  const writer = open(store);
  for (const name of ['a', 'b', 'c', 'd'])
    await writer.createCollection(name, { dimension, metric: 'cosine' });
  await writer.dropCollection('d');
  await writer.close();
  const key = `collections/b/log/${'1'.padStart(20, '0')}`;
  await store.put(key, flip(0.5)((await store.get(key))?.body.slice() as Uint8Array));

  const engine = open(store);
  const { collections, damaged: broken, next } = await engine.listCollections();
  expect(collections.map(({ name }) => name)).toEqual(['a', 'c']);
  expect(broken).toMatchObject([{ name: 'b', error: { code: 'damaged-object', details: { key } } }]);
  expect(next).toBeUndefined();
  const pages: string[][] = [];
  for (let after: string | undefined; pages.length < 9; ) {
    const page = await engine.listCollections({ limit: 1, ...(after !== undefined && { after }) });
    pages.push([...page.collections, ...page.damaged].map(({ name }) => name));
    after = page.next;
    if (after === undefined) break;
  }
  expect(pages).toEqual([['a'], ['b'], ['c']]);
  const failures: [string, unknown][] = [];
  await sweepEveryCollection(engine, store, (...failure) => failures.push(failure));
  expect(failures).toMatchObject([['b', { code: 'damaged-object' }]]);
  await engine.close();
});

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('a damaged %s object', (kind) => {
  test.each(damages)(
    '%s never gives a wrong answer, is named by verify, and repaired where it can be',
    async (_, damage) => {
      const { store, key } = await damaged(kind, damage);
      const outcome = await answer(store).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(LookalikeError);
        expect(outcome.message).toContain(key);
        expect(repairable).not.toContain(kind);
      } else expect(outcome).toEqual(expected);

      const engine = open(store);
      const report = await engine.verify('c');
      // The rows are the one object whose unread parts (Arrow's own framing) a query need not notice; verify does.
      const missingTail = kind === 'commit' && !(await store.get(key));
      const missingHint = kind === 'checkpoint' && !(await store.get(key));
      if (!missingTail && !missingHint) {
        expect(report.damaged.map((damage) => damage.key)).toContain(key);
        for (const damage of report.damaged) expect(damage.repairable).toBe(repairable.includes(kind));
      }
      if (repairable.includes(kind)) {
        await engine.compact('c', { rebuild: true });
        await engine.collectGarbage('c', { grace: 0 });
        expect((await engine.verify('c')).damaged).toEqual([]);
        expect(await answer(store)).toEqual(expected);
      }
      await engine.close();
    },
  );
});
