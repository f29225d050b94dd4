import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, openEngine } from '@lookalike/index';
import { MemoryStore, type ObjectStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import { type Fault, FaultStore } from './fault-store.ts';

type Way = 'fails before it takes effect' | 'fails after it took effect' | 'is the last of its process';
const ways: Way[] = [
  'fails before it takes effect',
  'fails after it took effect',
  'is the last of its process',
];

/** What an item may be: each entry a possible value, `undefined` for not there. */
type Possible = Map<string, (number | undefined)[]>;

function open(store: ObjectStore) {
  return openEngine({
    store,
    commitWindow: 0,
    maintenance: false,
    cacheFolder: join(tmpdir(), 'lookalike-crash-cache'),
    indexer: { maxSegmentRows: 40, coarseMinBytes: 0 },
  });
}

const vectorOf = (value: number) => Float32Array.of(Math.cos(value), Math.sin(value));

/** Everything that touches the store, once; notes what was acknowledged and what may or may not have happened. */
async function scenario(store: ObjectStore, possible: Possible): Promise<void> {
  const attempt = async (work: () => Promise<unknown>, effect: Map<string, number | undefined>) => {
    let failed = false;
    await work().catch(() => {
      failed = true;
    });
    for (const [id, value] of effect)
      possible.set(id, failed ? [...(possible.get(id) ?? [undefined]), value] : [value]);
  };
  const engine = open(store);
  const write = async (collection: Collection, from: number, to: number, value: number) => {
    const names = Array.from({ length: to - from }, (_, i) => `id-${from + i}`);
    const items = names.map((id) => ({ id, vector: vectorOf(value), metadata: { value } }));
    await attempt(() => collection.upsert(items), new Map(names.map((id) => [id, value])));
  };
  const remove = (collection: Collection, ids: string[]) =>
    attempt(() => collection.delete({ ids }), new Map(ids.map((id) => [id, undefined])));
  try {
    await engine.createCollection('c', { dimension: 2, metric: 'cosine' });
    const collection = await engine.collection('c');
    await write(collection, 0, 30, 1);
    await write(collection, 20, 40, 2);
    await engine.compact('c').catch(() => undefined);
    await remove(collection, ['id-3', 'id-25']);
    await write(collection, 35, 50, 3);
    await engine.compact('c').catch(() => undefined);
    await write(collection, 0, 5, 4);
    await engine.compact('c', { full: true }).catch(() => undefined);
    await remove(collection, ['id-49']);
    await engine.collectGarbage('c', { grace: 0 }).catch(() => undefined);
    await collection.query({ vector: vectorOf(1), exact: true }).catch(() => undefined);
    await write(collection, 48, 52, 5);
  } catch {
    // The process could not even begin.
  }
  await engine.close();
}

async function contents(store: ObjectStore): Promise<Map<string, number>> {
  const engine = open(store);
  try {
    const collection = await engine.collection('c');
    const { items } = await collection.scan({ limit: 1000 });
    return new Map(items.map(({ id, metadata }) => [id, metadata.value as number]));
  } finally {
    await engine.close();
  }
}

function check(found: Map<string, number>, possible: Possible, context: string): void {
  for (const [id, values] of possible)
    expect([context, id, values]).toEqual([context, id, expect.arrayContaining([found.get(id)])]);
  for (const id of found.keys()) expect([context, possible.has(id)]).toEqual([context, true]);
}

test('a call to the store that fails, in any way, at any point, loses nothing acknowledged and brings nothing back', async () => {
  let calls = 0;
  await scenario(
    new FaultStore(new MemoryStore(), () => {
      calls++;
      return undefined;
    }),
    new Map(),
  );
  let points = 0;
  for (const way of ways)
    for (let point = 1; point <= calls; point++) {
      const shared = new MemoryStore();
      const possible: Possible = new Map();
      let call = 0;
      const decide = (): Fault => {
        call++;
        if (way === 'is the last of its process')
          return call > point ? 'before' : call === point ? 'after' : undefined;
        if (call !== point) return undefined;
        return way === 'fails before it takes effect' ? 'before' : 'after';
      };
      await scenario(new FaultStore(shared, decide), possible);
      const context = `call ${point} of ${calls} ${way}`;
      if ((await shared.list('collections/')).objects.length === 0) continue;
      points++;
      check(await contents(shared), possible, context);
      // What comes after it recovers, and leaves all as it was.
      const engine = open(shared);
      await engine.compact('c', { full: true });
      await engine.collectGarbage('c', { grace: 0 });
      const report = await engine.verify('c');
      expect([context, report.damaged]).toEqual([context, []]);
      await engine.close();
      check(await contents(shared), possible, `${context}, then compacted`);
    }
  console.log(`${points} crash points covered, ${calls} store calls in ${ways.length} ways`);
  expect(points).toBeGreaterThan(3 * calls - 10);
}, 1_200_000);

test('a compaction that fails does nothing more once it has said so', async () => {
  let armed = false;
  let failed = 0;
  const calls: string[] = [];
  const store = new FaultStore(new MemoryStore(), async (kind, key) => {
    if (!armed) return undefined;
    calls.push(`${kind} ${key}`);
    if (!key.includes('/segments/')) return undefined;
    if (kind !== 'put' && failed++ === 0) return 'before';
    // The other segment is still under way when the first one has failed.
    await sleep(20);
    return undefined;
  });
  const engine = openEngine({
    store,
    commitWindow: 0,
    maintenance: false,
    buildThreads: 2,
    cacheFolder: join(tmpdir(), 'lookalike-crash-cache'),
    indexer: { maxSegmentRows: 20 },
  });
  await engine.createCollection('c', { dimension: 2, metric: 'cosine' });
  const collection = await engine.collection('c');
  const items = Array.from({ length: 40 }, (_, n) => ({ id: `id-${n}`, vector: vectorOf(n) }));
  await collection.upsert(items);
  await engine.compact('c');
  expect((await collection.stats()).segments).toBe(2);
  armed = true;
  await expect(engine.compact('c', { full: true })).rejects.toThrow('injected');
  const before = [...calls];
  await sleep(500);
  expect(calls).toEqual(before);
  expect((await collection.scan({ limit: 100 })).items).toHaveLength(40);
  await engine.close();
});
