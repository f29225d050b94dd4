// npm run bench:index: the index against bare hnswlib and usearch, on the same vectors with the same parameters in one run.
// LOOKALIKE_BENCH_ROWS (default 100000), LOOKALIKE_BENCH_DIMENSION (128), LOOKALIKE_BENCH_VECTORS (a .npy of float32 rows).
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HierarchicalNSW, hnswBuild } from '@lookalike/hnsw';
import { type Collection, type Item, openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';
import { MetricKind, ScalarKind, Index as UsearchIndex } from 'usearch';
import { clusteredVectors, readNpy } from './index/vectors.ts';
import { markdownTable } from './markdown-table.ts';

const k = 10;
const m = 16;
const efConstruction = 200;
const efs = [16, 32, 64, 96, 128, 256];
const queryCount = 200;

const file = process.env.LOOKALIKE_BENCH_VECTORS;
const source =
  file === undefined
    ? clusteredVectors(
        Number(process.env.LOOKALIKE_BENCH_ROWS ?? 100_000) + queryCount,
        Number(process.env.LOOKALIKE_BENCH_DIMENSION ?? 128),
        1,
      )
    : readNpy(await readFile(file));
const { dimension } = source;
const rows = source.count - queryCount;
const vector = (i: number) => source.data.subarray(i * dimension, (i + 1) * dimension);
const queries = Array.from({ length: queryCount }, (_, i) => vector(rows + i));
const itemOf = (i: number): Item => ({ id: `id-${i}`, vector: vector(i), metadata: { n: i } });

console.log(
  `${rows} x ${dimension}, ${file ?? 'synthetic clusters'}; k ${k}, M ${m}, efConstruction ${efConstruction}; hnswlib build ${hnswBuild}\n`,
);

const seconds = async (work: () => unknown): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};
const rate = (amount: number, time: number) => Math.round(amount / time).toLocaleString('en');
const share = (value: number) => value.toFixed(4);
const milliseconds = (time: number) => `${(time * 1000).toFixed(2)} ms`;

const folder = await mkdtemp(join(tmpdir(), 'lookalike-bench-'));
process.on('exit', () => void rm(folder, { recursive: true, force: true }));

const open = async (options: object = {}) =>
  openEngine({
    store: await openFolderStore(join(folder, 'store')),
    commitWindow: 0,
    maintenance: false,
    memoryBytes: 8 * 2 ** 30,
    maxTailBytes: 16 * 2 ** 30,
    indexer: { maxSegmentRows: rows, graphMinRows: 5000 },
    ...options,
  });
let engine = await open();
const config = { dimension, metric: 'cosine', hnsw: { m, efConstruction } } as const;
await engine.createCollection('c', config);
let collection = await engine.collection('c');

async function answers(collection: Collection, request: object): Promise<{ ids: string[][]; time: number }> {
  const ids: string[][] = [];
  const time = await seconds(async () => {
    for (const query of queries) {
      const { matches } = await collection.query({ vector: query, topK: k, include: [], ...request });
      ids.push(matches.map((match) => match.id));
    }
  });
  return { ids, time };
}

function recallOf(found: readonly string[][], truth: readonly string[][]): number {
  let hits = 0;
  let wanted = 0;
  for (const [i, ids] of truth.entries()) {
    wanted += ids.length;
    for (const id of found[i] ?? []) if (ids.includes(id)) hits++;
  }
  return hits / wanted;
}

/** The best of three runs: on a shared machine the others say more of the neighbours. */
async function bestOf<T extends { time: number }>(work: () => Promise<T>): Promise<T> {
  let best = await work();
  for (let i = 0; i < 2; i++) {
    const next = await work();
    if (next.time < best.time) best = next;
  }
  return best;
}

// --- Build -----------------------------------------------------------------------------------------------------------

const bare = new HierarchicalNSW('ip', dimension);
bare.initIndex({ maxElements: rows, m, efConstruction, randomSeed: 100 });
const bareBuild = await seconds(() => {
  for (let i = 0; i < rows; i++) bare.addPoint(normalised(vector(i)), i);
});
const ingest = await seconds(async () => {
  for (let at = 0; at < rows; at += 1000)
    await collection.upsert(Array.from({ length: Math.min(1000, rows - at) }, (_, i) => itemOf(at + i)));
});
const tailTime = (await answers(collection, { consistency: 'eventual' })).time / queryCount;
const ownBuild = await seconds(() => engine.compact('c'));
await engine.close();

const halves = { indexer: { maxSegmentRows: Math.ceil(rows / 2), graphMinRows: 5000 } };
engine = await open({ ...halves, buildThreads: 1 });
await engine.compact('c', { full: true });
const oneCore = await seconds(() => engine.compact('c', { rebuild: true }));
await engine.close();
engine = await open({ ...halves, buildThreads: 2 });
const twoCores = await seconds(() => engine.compact('c', { rebuild: true }));
await engine.close();
engine = await open();
await engine.compact('c', { full: true });
collection = await engine.collection('c');

const usearches = [
  ['usearch f32', ScalarKind.F32],
  ['usearch bf16', ScalarKind.BF16],
] as const;
const builtUsearches = usearches.map(([name, quantization]) => {
  const index = new UsearchIndex({
    metric: MetricKind.IP,
    dimensions: dimension,
    connectivity: m,
    expansion_add: efConstruction,
    expansion_search: 64,
    quantization,
    multi: false,
  });
  const started = performance.now();
  const keys = BigUint64Array.from({ length: rows }, (_, i) => BigInt(i));
  const all = new Float32Array(rows * dimension);
  for (let i = 0; i < rows; i++) all.set(normalised(vector(i)), i * dimension);
  index.add(keys, all, 1);
  return { name, index, time: (performance.now() - started) / 1000, quantization };
});
console.log(
  markdownTable(
    ['build', 'rows a second', 'seconds'],
    [
      ['bare hnswlib', rate(rows, bareBuild), bareBuild.toFixed(1)],
      ['Lookalike, commits only', rate(rows, ingest), ingest.toFixed(1)],
      ['Lookalike, tail to one segment', rate(rows, ownBuild), ownBuild.toFixed(1)],
      ['Lookalike, two segments, 1 thread', rate(rows, oneCore), oneCore.toFixed(1)],
      [
        `Lookalike, two segments, 2 threads (x ${(oneCore / twoCores).toFixed(2)})`,
        rate(rows, twoCores),
        twoCores.toFixed(1),
      ],
      ...builtUsearches.map(({ name, time }) => [name, rate(rows, time), time.toFixed(1)]),
    ],
  ),
);

// --- Recall and speed ------------------------------------------------------------------------------------------------

const exact = await bestOf(() => answers(collection, { exact: true, consistency: 'eventual' }));
const truth = exact.ids;
const flat = await bestOf(() => answers(collection, { consistency: 'eventual', exact: true }));
await collection.recall({ sample: 2 });
const curve: string[][] = [];
for (const ef of efs) {
  const plain = await bestOf(async () => {
    bare.setEf(ef);
    const ids: string[][] = [];
    const time = await seconds(() => {
      for (const query of queries)
        ids.push(bare.searchKnn(normalised(query), k).neighbors.map((i) => `id-${i}`));
    });
    return { ids, time };
  });
  const own = await bestOf(() => answers(collection, { ef, consistency: 'eventual' }));
  const strong = await bestOf(() => answers(collection, { ef }));
  const others: string[] = [];
  for (const { index } of builtUsearches) {
    const found = await bestOf(async () => {
      const ids: string[][] = [];
      const time = await seconds(() => {
        for (const query of queries) {
          const { keys } = index.search(Float32Array.from(normalised(query)), Math.max(k, 1), 1);
          ids.push([...keys].map((key) => `id-${key}`));
        }
      });
      return { ids, time };
    });
    others.push(`${share(recallOf(found.ids, truth))} ${rate(queryCount, found.time)}`);
  }
  curve.push([
    String(ef),
    `${share(recallOf(plain.ids, truth))} ${rate(queryCount, plain.time)}`,
    `${share(recallOf(own.ids, truth))} ${rate(queryCount, own.time)}`,
    `${share(recallOf(strong.ids, truth))} ${rate(queryCount, strong.time)}`,
    (plain.time / own.time).toFixed(2),
    ...(ef === 64 ? others : others.map(() => '')),
  ]);
}
console.log(
  `\n${markdownTable(
    [
      'ef: recall@10, queries a second',
      'bare hnswlib',
      'Lookalike eventual',
      'Lookalike strong',
      'eventual / bare',
      'usearch f32',
      'usearch bf16',
    ],
    curve,
  )}`,
);
const byDefault = await bestOf(() => answers(collection, {}));
console.log(
  `\nflat, exact and proven: ${milliseconds(flat.time / queryCount)} a query; default settings: recall@10 ${share(recallOf(byDefault.ids, truth))}, ${rate(queryCount, byDefault.time)} queries a second; ` +
    `a tail of ${rows} rows: ${milliseconds(tailTime)} a query`,
);

// --- Filters ---------------------------------------------------------------------------------------------------------

const filtered: string[][] = [];
for (const selectivity of [0.5, 0.05, 0.005, 0.0005]) {
  const filter = { field: 'n', lt: Math.round(rows * selectivity) };
  const wanted = await answers(collection, { filter, exact: true, consistency: 'eventual' });
  const found = await bestOf(() => answers(collection, { filter, consistency: 'eventual' }));
  filtered.push([
    `${selectivity * 100}%`,
    share(recallOf(found.ids, wanted.ids)),
    milliseconds(found.time / queryCount),
  ]);
}
console.log(`\n${markdownTable(['filter lets through', 'recall@10', 'a query'], filtered)}`);

// --- Cold start ------------------------------------------------------------------------------------------------------

const stats = await collection.stats();
const store = await openFolderStore(join(folder, 'store'));
const graphKey = (await store.list('collections/c/segments/', { limit: 1000 })).objects
  .filter(({ key }) => key.endsWith('graph.hnsw'))
  .sort((a, b) => b.lastModified.getTime() - a.lastModified.getTime())[0]?.key as string;
const query = queries[0] as Float32Array;
const plainCold = await seconds(async () => {
  const body = (await store.get(graphKey))?.body as Uint8Array;
  const path = join(folder, 'downloaded');
  await writeFile(path, body);
  const index = new HierarchicalNSW('ip', dimension);
  index.readIndexSync(path);
  index.setEf(96);
  index.searchKnn(normalised(query), k);
});
await engine.close();
engine = await open();
let coldFirst: string[][] = [];
const ownCold = await seconds(async () => {
  const cold = await engine.collection('c');
  const { matches } = await cold.query({ vector: query, topK: k, include: [] });
  coldFirst = [matches.map((match) => match.id)];
});
collection = await engine.collection('c');
const readGraph = await seconds(async () => {
  const index = new HierarchicalNSW('ip', dimension);
  index.readIndexSync(join(folder, 'downloaded'));
});
const readFileTime = await seconds(() => readFile(join(folder, 'downloaded')));
const graphBytes = (await stat(join(folder, 'downloaded'))).size;
console.log(
  `\ncold start to the first answer (recall@10 ${share(recallOf(coldFirst, [truth[0] as string[]]))}): ${milliseconds(ownCold)}; download the graph file, then read it: ${milliseconds(plainCold)}: ratio ${(ownCold / plainCold).toFixed(2)}`,
);
console.log(
  `graph load: ${rate(graphBytes / 1e6, readGraph)} MB a second, plain read of the file ${rate(graphBytes / 1e6, readFileTime)}; bytes a vector: rows ${(stats.bytes.rows / rows).toFixed(0)}, codes and keys ${(stats.bytes.codes / rows).toFixed(0)}, graph ${(stats.bytes.graphs / rows).toFixed(0)}`,
);

// --- Memory bandwidth ------------------------------------------------------------------------------------------------

const codeBytes = rows * (dimension + 12);
const block = new Float64Array(Math.ceil(codeBytes / 8));
let sink = 0;
const memoryTime = (
  await bestOf(async () => ({
    time: await seconds(() => {
      sink += Buffer.compare(Buffer.from(block.buffer), Buffer.from(block.buffer.slice(0)));
    }),
  }))
).time;
console.log(
  `flat scan: ${(codeBytes / 1e9 / (flat.time / queryCount)).toFixed(1)} GB a second of codes with rescoring; copying and comparing that much memory: ${((3 * codeBytes) / 1e9 / memoryTime).toFixed(1)}${sink === 0 ? '' : '!'}`,
);

// --- Deletes ---------------------------------------------------------------------------------------------------------

const deletes: string[][] = [];
await collection.recall({ sample: 2 });
for (const gone of [0.1, 0.5]) {
  await collection.delete({ filter: { field: 'n', lt: Math.round(rows * gone) } });
  const wanted = await answers(collection, { exact: true, consistency: 'eventual' });
  const found = await bestOf(() => answers(collection, { consistency: 'eventual' }));
  deletes.push([
    `${gone * 100}%`,
    share(recallOf(found.ids, wanted.ids)),
    milliseconds(found.time / queryCount),
  ]);
}
console.log(`\n${markdownTable(['deleted, before compaction', 'recall@10', 'a query'], deletes)}`);
console.log(
  `\npeak memory of this process, all indexes together: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
);
await engine.close();

function normalised(values: Float32Array): number[] {
  let sum = 0;
  for (const value of values) sum += value * value;
  const length = Math.sqrt(sum);
  return Array.from(values, (value) => value / length);
}
