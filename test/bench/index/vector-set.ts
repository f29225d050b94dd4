import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HierarchicalNSW, type HierarchicalNsw, hnswBuild } from '@lookalike/hnsw';
import {
  type Collection,
  type EngineOptions,
  type Item,
  openEngine,
  type QueryRequest,
} from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';
import { MetricKind, ScalarKind, Index as UsearchIndex } from 'usearch';
import { interleaved, median, normalised, recallOf, timed } from './measure.ts';
import { memoryReader } from './memory-bandwidth.ts';
import type { Vectors } from './vectors.ts';

const k = 10;
const m = 16;
const efConstruction = 200;
const efs = [16, 32, 64, 96, 128, 256];
/** usearch takes it when an index is made. */
const usearchEf = 64;
const queryCount = 200;
const rounds = 7;

export interface Way {
  name: string;
  recall: number;
  queriesPerSecond: number;
  /** Median over the rounds of its speed to that of the first contender in the same round. */
  toFirst: number;
}

export interface VectorSetReport {
  name: string;
  rows: number;
  dimension: number;
  build: { name: string; rowsPerSecond: number; seconds: number }[];
  twoCoresToOne: number;
  curve: { ef: number; ways: Way[] }[];
  defaults: { recall: number; milliseconds: number };
  flat: { milliseconds: number; bytesPerSecond: number; memoryBytesPerSecond: number };
  filters: { share: number; recall: number; milliseconds: number }[];
  deletes: { share: number; recall: number; milliseconds: number }[];
  tail: { rows: number; milliseconds: number; filteredMilliseconds: number }[];
  bytesPerVector: { rows: number; codes: number; graph: number };
}

/** Everything about one set of vectors; the last 200 are the queries. */
export async function measureVectorSet(name: string, source: Vectors): Promise<VectorSetReport> {
  const { dimension } = source;
  const rows = source.count - queryCount;
  const vector = (i: number) => source.data.subarray(i * dimension, (i + 1) * dimension);
  const queries = Array.from({ length: queryCount }, (_, i) => vector(rows + i));
  const itemOf = (i: number): Item => ({ id: `id-${i}`, vector: vector(i), metadata: { n: i } });
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-bench-'));
  const store = await openFolderStore(join(folder, 'store'));
  const say = (text: string) => console.log(`  ${text}`);
  const open = (options: Partial<EngineOptions> = {}) =>
    openEngine({
      store,
      commitWindow: 0,
      maintenance: false,
      memoryBytes: 8 * 2 ** 30,
      maxTailBytes: 16 * 2 ** 30,
      indexer: { maxSegmentRows: rows, graphMinRows: 5000, flushRows: rows, flushBytes: 2 ** 40 },
      ...options,
    });
  const config = { dimension, metric: 'cosine', hnsw: { m, efConstruction } } as const;
  const fill = async (collection: Collection, from: number, to: number) => {
    for (let at = from; at < to; at += 1000)
      await collection.upsert(Array.from({ length: Math.min(1000, to - at) }, (_, i) => itemOf(at + i)));
  };
  const ask = async (collection: Collection, request: Partial<QueryRequest>) => {
    const ids: string[][] = [];
    for (const query of queries) {
      const { matches } = await collection.query({ vector: query, topK: k, include: [], ...request });
      ids.push(matches.map(({ id }) => id));
    }
    return ids;
  };
  const eventual = { consistency: 'eventual' } as const;
  const each = (milliseconds: number) => milliseconds / queryCount;

  // --- Build ---
  const build: VectorSetReport['build'] = [];
  const built = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    let result: T | undefined;
    const seconds =
      (await timed(async () => {
        result = await work();
      })) / 1000;
    build.push({ name, rowsPerSecond: rows / seconds, seconds });
    say(`${name}: ${seconds.toFixed(1)} s`);
    return result as T;
  };
  const buildBare = (Graph: new (space: 'ip', dimension: number) => HierarchicalNsw) => () => {
    const graph = new Graph('ip', dimension);
    graph.initIndex({ maxElements: rows, m, efConstruction, randomSeed: 100 });
    for (let i = 0; i < rows; i++) graph.addPoint(normalised(vector(i)), i);
    return graph;
  };
  const { HierarchicalNSW: Published } = createRequire(import.meta.url)('hnswlib-node') as {
    HierarchicalNSW: typeof HierarchicalNSW;
  };
  const published = await built('hnswlib-node as npm builds it', buildBare(Published));
  const bare = await built(`hnswlib-node, ${hnswBuild} build`, buildBare(HierarchicalNSW));
  let engine = open();
  await engine.createCollection('c', config);
  let collection = await engine.collection('c');
  await built('Lookalike, commits only', () => fill(collection, 0, rows));
  await built('Lookalike, tail to one segment', () => engine.compact('c'));
  await engine.close();
  const halves = { maxSegmentRows: Math.ceil(rows / 2), graphMinRows: 2500 };
  const times: [number[], number[]] = [[], []];
  engine = open({ indexer: halves });
  await engine.compact('c', { full: true });
  await engine.close();
  for (let round = 0; round < 2; round++)
    for (const buildThreads of [1, 2]) {
      engine = open({ indexer: halves, buildThreads });
      times[buildThreads - 1]?.push(await timed(() => engine.compact('c', { rebuild: true })));
      await engine.close();
    }
  for (const [i, name] of ['1 thread', '2 threads'].entries()) {
    const seconds = Math.min(...(times[i] as number[])) / 1000;
    build.push({ name: `Lookalike, two segments anew, ${name}`, rowsPerSecond: rows / seconds, seconds });
  }
  const twoCoresToOne = median((times[0] as number[]).map((one, i) => one / (times[1]?.[i] as number)));
  say(`two cores to one: ${twoCoresToOne.toFixed(2)}`);
  engine = open();
  await engine.compact('c', { full: true });
  collection = await engine.collection('c');
  const usearches: { name: string; index: UsearchIndex }[] = [];
  for (const [name, quantization] of [
    ['usearch f32', ScalarKind.F32],
    ['usearch bf16', ScalarKind.BF16],
  ] as const) {
    const index = await built(name, () => {
      const made = new UsearchIndex({
        metric: MetricKind.IP,
        dimensions: dimension,
        connectivity: m,
        expansion_add: efConstruction,
        expansion_search: usearchEf,
        quantization,
        multi: false,
      });
      const all = new Float32Array(rows * dimension);
      for (let i = 0; i < rows; i++) all.set(normalised(vector(i)), i * dimension);
      made.add(
        BigUint64Array.from({ length: rows }, (_, i) => BigInt(i)),
        all,
        1,
      );
      return made;
    });
    usearches.push({ name, index });
  }

  // --- Recall and speed ---
  // Loads all that makes searches fast.
  await collection.recall({ sample: 2 });
  const truth = await ask(collection, { exact: true, ...eventual });
  const curve: VectorSetReport['curve'] = [];
  for (const ef of efs) {
    const found = new Map<string, string[][]>();
    const searchBare = (name: string, graph: HierarchicalNsw) => () => {
      found.set(
        name,
        queries.map((query) => graph.searchKnn(normalised(query), k).neighbors.map((i) => `id-${i}`)),
      );
    };
    published.setEf(ef);
    bare.setEf(ef);
    const batches = Array.from({ length: queryCount / 50 }, (_, i) => queries.slice(i * 50, (i + 1) * 50));
    const contenders: Record<string, () => Promise<unknown> | unknown> = {
      'hnswlib-node (npm)': searchBare('hnswlib-node (npm)', published),
      'hnswlib-node (same build)': searchBare('hnswlib-node (same build)', bare),
      'Lookalike eventual': async () => {
        found.set('Lookalike eventual', await ask(collection, { ef, ...eventual }));
      },
      'Lookalike strong, batches of 50': async () => {
        const all: string[][] = [];
        for (const batch of batches) {
          const results = await collection.queryBatch(
            batch.map((query) => ({ vector: query, topK: k, include: [], ef })),
          );
          all.push(...results.map(({ matches }) => matches.map(({ id }) => id)));
        }
        found.set('Lookalike strong, batches of 50', all);
      },
      'Lookalike strong, 16 in flight': async () => {
        const all: string[][] = [];
        const waiting = queries.entries();
        const asker = async () => {
          for (const [i, query] of waiting) {
            const { matches } = await collection.query({ vector: query, topK: k, include: [], ef });
            all[i] = matches.map(({ id }) => id);
          }
        };
        await Promise.all(Array.from({ length: 16 }, asker));
        found.set('Lookalike strong, 16 in flight', all);
      },
      'Lookalike strong': async () => {
        found.set('Lookalike strong', await ask(collection, { ef }));
      },
    };
    if (ef === usearchEf)
      for (const { name, index } of usearches)
        contenders[name] = () => {
          found.set(
            name,
            queries.map((query) =>
              [...index.search(Float32Array.from(normalised(query)), k, 1).keys].map((key) => `id-${key}`),
            ),
          );
        };
    const measured = await interleaved(contenders, queryCount, rounds);
    const ways = Object.entries(measured).map(([name, { milliseconds, ratios }]) => ({
      name,
      recall: recallOf(found.get(name) as string[][], truth),
      queriesPerSecond: 1000 / milliseconds,
      toFirst: median(ratios),
    }));
    curve.push({ ef, ways });
    say(`ef ${ef}: ${ways.map((way) => `${way.name} ${way.toFirst.toFixed(2)}`).join(', ')}`);
  }
  const timesOf = async (work: () => Promise<unknown>, count = 3) => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push(each(await timed(work)));
    return median(all);
  };
  const defaults = {
    recall: recallOf(await ask(collection, {}), truth),
    milliseconds: await timesOf(() => ask(collection, eventual)),
  };

  // --- Flat scan against memory ---
  const codeBytes = rows * (Math.ceil(dimension / 16) * 16 + 12);
  const read = await memoryReader(codeBytes);
  const flatTimes = await interleaved(
    {
      memory: () => queries.forEach(read),
      flat: () => ask(collection, { exact: true, ...eventual }),
    },
    queryCount,
    5,
  );
  const perSecond = (milliseconds: number) => codeBytes / (milliseconds / 1000);
  const flatMilliseconds = (flatTimes.flat as { milliseconds: number }).milliseconds;
  const flat = {
    milliseconds: flatMilliseconds,
    bytesPerSecond: perSecond(flatMilliseconds),
    memoryBytesPerSecond: perSecond((flatTimes.memory as { milliseconds: number }).milliseconds),
  };

  // --- Filters, deletes ---
  const filters: VectorSetReport['filters'] = [];
  for (const share of [0.5, 0.05, 0.005, 0.0005]) {
    const filter = { field: 'n', lt: Math.max(1, Math.round(rows * share)) };
    const wanted = await ask(collection, { filter, exact: true, ...eventual });
    const recall = recallOf(await ask(collection, { filter, ...eventual }), wanted);
    filters.push({
      share,
      recall,
      milliseconds: await timesOf(() => ask(collection, { filter, ...eventual })),
    });
  }
  const { bytes } = await collection.stats();
  const deletes: VectorSetReport['deletes'] = [];
  for (const share of [0.1, 0.5]) {
    await collection.delete({ filter: { field: 'n', lt: Math.round(rows * share) } });
    const wanted = await ask(collection, { exact: true, ...eventual });
    const recall = recallOf(await ask(collection, eventual), wanted);
    deletes.push({ share, recall, milliseconds: await timesOf(() => ask(collection, eventual)) });
  }

  // --- The tail as it grows ---
  await engine.createCollection('tail', config);
  const growing = await engine.collection('tail');
  const tail: VectorSetReport['tail'] = [];
  let grown = 0;
  for (const size of [1000, 5000, 20_000, 50_000].filter((size) => size <= rows)) {
    await fill(growing, grown, size);
    grown = size;
    // The first search of new rows makes their codes.
    await ask(growing, eventual);
    tail.push({
      rows: size,
      milliseconds: await timesOf(() => ask(growing, eventual)),
      filteredMilliseconds: await timesOf(
        () => ask(growing, { filter: { field: 'n', gte: 0 }, ...eventual }),
        1,
      ),
    });
  }
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
  return {
    name,
    rows,
    dimension,
    build,
    twoCoresToOne,
    curve,
    defaults,
    flat,
    filters,
    deletes,
    tail,
    bytesPerVector: { rows: bytes.rows / rows, codes: bytes.codes / rows, graph: bytes.graphs / rows },
  };
}
