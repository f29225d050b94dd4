import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import { FaultStore } from './fault-store.ts';

const vector = (n: number) => Float32Array.of(Math.cos(n), Math.sin(n), n);
const items = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: `id-${from + i}`, vector: vector(from + i) }));

function engineOn(store: MemoryStore, calls: string[], commitWindow = 0) {
  const counted = new FaultStore(store, (kind, key) => {
    calls.push(`${kind} ${key.replace(/^collections\/c\//, '')}`);
    return undefined;
  });
  return openEngine({
    store: counted,
    commitWindow,
    maintenance: false,
    cacheFolder: join(tmpdir(), 'lookalike-calls-cache'),
    indexer: { graphMinRows: 50 },
  });
}

const commit = (number: number) => `log/${String(number).padStart(20, '0')}`;

test('a commit costs one PUT, a strong query one GET, an eventual one nothing', async () => {
  const store = new MemoryStore();
  const calls: string[] = [];
  const callsOf = async (work: () => Promise<unknown>) => {
    calls.length = 0;
    await work();
    return [...calls];
  };
  const engine = engineOn(store, calls);
  await engine.createCollection('c', { dimension: 3, metric: 'l2' });
  const collection = await engine.collection('c');
  await collection.upsert(items(0, 100));
  await engine.compact('c');
  // Numbers 1 to 3: create, write, segments.
  await collection.recall({ sample: 2 });
  const query = { vector: vector(7), topK: 5 };
  await collection.query(query);

  expect(await callsOf(() => collection.upsert(items(100, 150)))).toEqual([`put ${commit(4)}`]);
  expect(await callsOf(() => collection.delete({ ids: ['id-3', 'id-101'] }))).toEqual([`put ${commit(5)}`]);
  expect(await callsOf(() => collection.query(query))).toEqual([`get ${commit(6)}`]);
  expect(await callsOf(() => collection.query({ ...query, exact: true }))).toEqual([`get ${commit(6)}`]);
  expect(await callsOf(() => collection.queryBatch(Array.from({ length: 20 }, () => query)))).toEqual([
    `get ${commit(6)}`,
  ]);
  expect(await callsOf(() => collection.query({ ...query, consistency: 'eventual' }))).toEqual([]);
  // The first one's look may have been before the others came: those share the next.
  const asked = await callsOf(() => Promise.all(Array.from({ length: 30 }, () => collection.query(query))));
  expect(asked).toEqual([`get ${commit(6)}`, `get ${commit(6)}`]);
  // Calls that are made together share one commit.
  const together = await callsOf(() =>
    Promise.all(Array.from({ length: 30 }, (_, i) => collection.upsert(items(200 + i, 201 + i)))),
  );
  expect(together).toEqual([`put ${commit(6)}`]);

  // What another process wrote: the commit itself, and the list that says that there are no more.
  const other = await engineOn(store, []).collection('c');
  await other.upsert(items(300, 301));
  expect(await callsOf(() => collection.query(query))).toEqual([`get ${commit(7)}`, 'list log/']);
});

test('of eight writers who race, those who commit in groups collide far less', async () => {
  const writers = 8;
  const writes = 20;
  const race = async (commitWindow: number, atOnce: boolean) => {
    const inner = new MemoryStore();
    let puts = 0;
    // A request takes a while, so that others come between.
    const slow = new FaultStore(inner, async (kind, key) => {
      if (kind === 'put' && key.includes('/log/')) puts++;
      await sleep(1 + Math.random() * 3);
      return undefined;
    });
    const engines = Array.from({ length: writers }, () =>
      openEngine({
        store: slow,
        commitWindow,
        maintenance: false,
        cacheFolder: join(tmpdir(), 'lookalike-calls-cache'),
      }),
    );
    await engines[0]?.createCollection('c', { dimension: 3, metric: 'l2' });
    const collections = await Promise.all(engines.map((engine) => engine.collection('c')));
    puts = 0;
    await Promise.all(
      collections.map(async (collection, w) => {
        const write = (i: number) =>
          collection.upsert([{ id: `w${w}-${i}`, vector: vector(w * 100 + i + 1) }]);
        if (atOnce) await Promise.all(Array.from({ length: writes }, (_, i) => write(i)));
        else for (let i = 0; i < writes; i++) await write(i);
      }),
    );
    const { count, version } = await (collections[0] as (typeof collections)[number]).count();
    expect(count).toBe(writers * writes);
    await Promise.all(engines.map((engine) => engine.close()));
    const commits = version - 1;
    return { commits, conflicts: puts - commits };
  };
  const single = await race(0, false);
  const grouped = await race(20, true);
  expect(single.commits).toBe(writers * writes);
  expect(grouped.commits).toBeLessThanOrEqual(writers * 2);
  expect(grouped.conflicts).toBeLessThan(single.conflicts);
  const figure = ({ commits, conflicts }: typeof single) =>
    `${commits} commits, ${conflicts} lost races (${(conflicts / commits).toFixed(1)} a commit, ${(conflicts / writers / writes).toFixed(2)} a write)`;
  console.log(
    `${writers} writers, ${writes} writes each: one commit a write: ${figure(single)}; in groups: ${figure(grouped)}`,
  );
});
