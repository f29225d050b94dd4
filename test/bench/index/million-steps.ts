// The steps of index-million.ts, each run in a process of its own: `<step> <folder> <rows> <dimension>`.
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HierarchicalNSW } from '@lookalike/hnsw';
import { type Collection, openEngine, type QueryRequest } from '@lookalike/index';
import { type ObjectStore, openFolderStore } from '@lookalike/store';
import { LinkStore } from './link-store.ts';
import { median, normalised, recallOf, timed } from './measure.ts';
import { memoryReader } from './memory-bandwidth.ts';
import { clusterSampler } from './vectors.ts';

/** What a step of writing took. */
export interface WriteReport {
  milliseconds: number;
  /** Highest resident memory of the step's process, build threads included, so far. */
  peaks: { at: string; bytes: number }[];
}

export interface Measured {
  name: string;
  recall: number;
  milliseconds: number;
}

export interface QueryReport {
  ways: Measured[];
  filters: Measured[];
  bytesPerVector: number[];
  peak: number;
  flatBytesPerSecond: number;
  memoryBytesPerSecond: number;
}

export interface ColdReport {
  stores: {
    name: string;
    recall: number;
    /** Milliseconds, medians. */
    own: number;
    plain: number;
    /** Read from the store. */
    bytes: number;
    plainBytes: number;
  }[];
  codesLoad: number;
  codesBytes: number;
  graphLoad: number;
  graphBytes: number;
  bareGraphLoad: number;
  graphRead: number;
}

const [step, folder = '', rowsText, dimensionText] = process.argv.slice(2);
const rows = Number(rowsText);
const dimension = Number(dimensionText);
/** 0: the default. */
const efConstruction = Number(process.env.LOOKALIKE_BENCH_EF_CONSTRUCTION ?? 0);
const vector = clusterSampler(Math.ceil(rows / 1000), dimension, 1);
const queryCount = 100;
const queries = Array.from({ length: queryCount }, (_, i) => vector(rows + i));
const k = 10;
const batch = 1000;
const calls = 4;

const peak = () => process.resourceUsage().maxRSS * 1024;
const say = (text: string) => console.log(`  ${text}; peak ${Math.round(peak() / 1e6)} MB`);
const openStore = () => openFolderStore(join(folder, 'store'));

/** All rows, acknowledged; segments of rows and codes are written meanwhile. */
async function ingest(): Promise<WriteReport> {
  // Of an earlier run that did not come to its end.
  rmSync(join(folder, 'store'), { recursive: true, force: true });
  const engine = openEngine({ store: await openStore() });
  const hnsw = efConstruction > 0 ? { efConstruction } : {};
  await engine.createCollection('c', { dimension, metric: 'cosine', hnsw });
  const collection = await engine.collection('c');
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  const peaks: WriteReport['peaks'] = [];
  let next = 0;
  let done = 0;
  const writer = async () => {
    for (let at = next; at < rows; at = next) {
      next = at + batch;
      const size = Math.min(batch, rows - at);
      await upsertAll(
        collection,
        Array.from({ length: size }, (_, i) => ({
          id: `id-${at + i}`,
          vector: vector(at + i),
          metadata: { n: at + i },
        })),
      );
      done += size;
      if (Math.floor((done * 10) / rows) > Math.floor(((done - size) * 10) / rows)) {
        const at = `${Math.round((done * 100) / rows)}% was committed`;
        peaks.push({ at, bytes: peak() });
        say(`${at}, ${(elapsed() / 1000).toFixed(0)} s`);
      }
    }
  };
  await Promise.all(Array.from({ length: calls }, writer));
  const milliseconds = elapsed();
  await engine.close();
  return { milliseconds, peaks };
}

/** All rows in one segment, with its graph. */
async function merge(): Promise<WriteReport> {
  const engine = openEngine({ store: await openStore(), maintenance: false });
  const milliseconds = await timed(() => engine.compact('c', { full: true }));
  await engine.collectGarbage('c', { grace: 0 });
  await engine.close();
  say(`one segment, ${(milliseconds / 1000).toFixed(0)} s`);
  return { milliseconds, peaks: [{ at: 'it was one segment', bytes: peak() }] };
}

/** As any writer must: waits where the indexer cannot follow. */
async function upsertAll(collection: Collection, items: Parameters<Collection['upsert']>[0]): Promise<void> {
  for (;;) {
    try {
      await collection.upsert(items);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'overloaded') throw error;
    }
  }
}

const openOn = (store: ObjectStore, cacheFolder?: string) =>
  openEngine({
    store,
    maintenance: false,
    memoryBytes: 6 * 2 ** 30,
    ...(cacheFolder && { cacheFolder }),
  });

async function ask(collection: Collection, request: Partial<QueryRequest>) {
  const ids: string[][] = [];
  const times: number[] = [];
  for (const query of queries) {
    const started = performance.now();
    const { matches } = await collection.query({
      vector: query,
      topK: k,
      include: [],
      consistency: 'eventual',
      ...request,
    });
    times.push(performance.now() - started);
    ids.push(matches.map(({ id }) => id));
  }
  return { ids, times };
}

async function graphKey(store: ObjectStore): Promise<string> {
  const { objects } = await store.list('collections/c/segments/', { limit: 1000 });
  const found = objects.filter(({ key }) => key.endsWith('graph.hnsw')).sort((a, b) => b.size - a.size)[0];
  if (found === undefined) throw new Error('no graph: the collection is too small');
  return found.key;
}

async function query(): Promise<QueryReport> {
  const store = await openStore();
  const engine = openOn(store);
  const collection = await engine.collection('c');
  // Loads all that makes searches fast.
  await collection.recall({ sample: 2 });
  const bare = new HierarchicalNSW('ip', dimension);
  bare.readIndexSync((await store.localPath?.(await graphKey(store))) as string);
  bare.setEf(96);
  const exact = await ask(collection, { exact: true });
  const ways = new Map<string, { ids: string[][]; times: number[] }>();
  for (let round = 0; round < 5; round++) {
    const bareAnswers: { ids: string[][]; times: number[] } = { ids: [], times: [] };
    for (const query of queries) {
      const started = performance.now();
      const { neighbors } = bare.searchKnn(normalised(query), k);
      bareAnswers.times.push(performance.now() - started);
      bareAnswers.ids.push(neighbors.map(String));
    }
    for (const [name, answers] of [
      ['bare hnswlib, ef 96', bareAnswers],
      ['default', await ask(collection, {})],
      ['ef 192', await ask(collection, { ef: 192 })],
      ['exact: flat, proven', await ask(collection, { exact: true })],
    ] as const)
      ways.set(name, { ids: answers.ids, times: [...(ways.get(name)?.times ?? []), ...answers.times] });
  }
  // Rows of the graph are in the order of ids.
  const order = Array.from({ length: rows }, (_, i) => `id-${i}`).sort();
  const named = (ids: string[][]) => ids.map((some) => some.map((row) => order[Number(row)] as string));
  const filters: Measured[] = [];
  for (const share of [0.5, 0.05, 0.005, 0.0005]) {
    const filter = { field: 'n', lt: Math.round(rows * share) };
    const truth = await ask(collection, { filter, exact: true });
    const found = await ask(collection, { filter });
    filters.push({
      name: `${share * 100}%`,
      recall: recallOf(found.ids, truth.ids),
      milliseconds: median(found.times),
    });
  }
  const { bytes } = await collection.stats();
  const codeBytes = rows * (Math.ceil(dimension / 16) * 16 + 12);
  const read = await memoryReader(codeBytes);
  const flat: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < 7; round++) {
    plain.push(await timed(read));
    flat.push(
      await timed(() =>
        collection.query({
          vector: queries[round] as Float32Array,
          topK: k,
          include: [],
          exact: true,
          consistency: 'eventual',
        }),
      ),
    );
  }
  await engine.close();
  return {
    ways: [...ways].map(([name, { ids, times }]) => ({
      name,
      recall: recallOf(name.startsWith('bare') ? named(ids) : ids, exact.ids),
      milliseconds: median(times),
    })),
    filters,
    bytesPerVector: [bytes.rows / rows, bytes.codes / rows, bytes.graphs / rows],
    peak: peak(),
    flatBytesPerSecond: codeBytes / (median(flat) / 1000),
    memoryBytesPerSecond: codeBytes / (median(plain) / 1000),
  };
}

async function cold(): Promise<ColdReport> {
  const local = await openStore();
  const key = await graphKey(local);
  const warm = openOn(local);
  const truth = (await ask(await warm.collection('c'), { exact: true })).ids;
  await warm.close();
  const scratch = mkdtempSync(join(folder, 'cold-'));
  const links = { latency: 15, bytesPerSecond: 90e6 };
  const kinds: { name: string; open: () => ObjectStore; rounds: number }[] = [
    { name: 'this folder', open: () => local, rounds: 10 },
    { name: '15 ms and 90 MB a second away', open: () => new LinkStore(local, links), rounds: 5 },
  ];
  const stores: ColdReport['stores'] = [];
  for (const { name, open, rounds } of kinds) {
    const found: string[][] = [];
    const own: number[] = [];
    const plain: number[] = [];
    let bytes = 0;
    let plainBytes = 0;
    for (let round = 0; round < rounds; round++) {
      const store = open();
      const engine = openOn(store, mkdtempSync(join(scratch, 'cache-')));
      const query = queries[round] as Float32Array;
      own.push(
        await timed(async () => {
          const { matches } = await (await engine.collection('c')).query({ vector: query, topK: k });
          found.push(matches.map(({ id }) => id));
        }),
      );
      if (store instanceof LinkStore) bytes = store.bytes;
      await engine.close();
      if (round >= 3) continue;
      const other = open();
      plain.push(
        await timed(async () => {
          const stream = await other.stream(key);
          const path = join(scratch, 'graph');
          await pipeline(stream as AsyncIterable<Uint8Array>, createWriteStream(path));
          const index = new HierarchicalNSW('ip', dimension);
          index.readIndexSync(path);
          index.setEf(96);
          index.searchKnn(normalised(query), k);
        }),
      );
      if (other instanceof LinkStore) plainBytes = other.bytes;
    }
    const recall = recallOf(found, truth.slice(0, found.length));
    stores.push({ name, recall, own: median(own), plain: median(plain), bytes, plainBytes });
    say(
      `cold, ${name}: ${median(own).toFixed(0)} ms, plain ${median(plain).toFixed(0)} ms, recall ${recall}`,
    );
  }
  const path = join(scratch, 'graph');
  const graphRead = await timed(() => readFileSync(path));
  const bareGraphLoad = await timed(() => new HierarchicalNSW('ip', dimension).readIndexSync(path));
  const engine = openOn(local, scratch);
  const collection = await engine.collection('c');
  const codesLoad = await timed(() =>
    collection.query({ vector: queries[0] as Float32Array, exact: true, include: [] }),
  );
  const graphLoad = await timed(() => collection.recall({ sample: 2 }));
  const { bytes } = await collection.stats();
  await engine.close();
  rmSync(scratch, { recursive: true, force: true });
  return {
    stores,
    codesLoad,
    codesBytes: bytes.codes,
    graphLoad,
    graphBytes: bytes.graphs,
    bareGraphLoad,
    graphRead,
  };
}

const steps: Record<string, () => Promise<object>> = { ingest, merge, query, cold };
const run = steps[step ?? ''];
if (run === undefined) throw new Error(`no step ${step}`);
const report = await run();
if (process.send === undefined) console.log(JSON.stringify(report, null, 2));
else process.send(report, () => process.exit());
