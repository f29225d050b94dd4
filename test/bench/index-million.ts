/**
 * npm run bench:index:million: a collection of a million vectors on this machine, each step in a process of its own, so that its
 * peak memory is that step's. Writes results/index-million.{json,md}.
 * LOOKALIKE_BENCH_ROWS (1000000), LOOKALIKE_BENCH_DIMENSION (128), LOOKALIKE_BENCH_EF_CONSTRUCTION (of the graph; a smaller one builds
 * sooner and finds less), LOOKALIKE_BENCH_FOLDER (kept with what each step reported, so that a run that was stopped goes on with the
 * step it was at; else a temporary one, removed). `-- --until <step>` ends behind a step.
 */
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hnswBuild } from '@lookalike/hnsw';
import type { ColdReport, QueryReport, WriteReport } from './index/million-steps.ts';
import { markdownTable } from './markdown-table.ts';

const rows = Number(process.env.LOOKALIKE_BENCH_ROWS ?? 1_000_000);
const dimension = Number(process.env.LOOKALIKE_BENCH_DIMENSION ?? 128);
const efConstruction = process.env.LOOKALIKE_BENCH_EF_CONSTRUCTION;
const kept = process.env.LOOKALIKE_BENCH_FOLDER;
const { until } = parseArgs({ options: { until: { type: 'string' } } }).values;
const folder = kept ?? mkdtempSync(join(tmpdir(), 'lookalike-bench-million-'));
if (kept === undefined) process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

async function step<Report>(name: string): Promise<Report> {
  console.log(`\n${name}`);
  const done = join(folder, `${name}.json`);
  if (!existsSync(done)) writeFileSync(done, JSON.stringify(await run<Report>(name)));
  if (name === until) process.exit();
  return JSON.parse(readFileSync(done, 'utf8')) as Report;
}

function run<Report>(name: string): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'index/million-steps.ts'), [
      name,
      folder,
      String(rows),
      String(dimension),
    ]);
    child.on('message', (report) => resolve(report as Report));
    child.on('error', reject);
    child.on('exit', (code) => code !== 0 && reject(new Error(`${name} ended with exit code ${code}`)));
  });
}

mkdirSync(folder, { recursive: true });
const ingest = await step<WriteReport>('ingest');
const merge = await step<WriteReport>('merge');
const query = await step<QueryReport>('query');
const cold = await step<ColdReport>('cold');

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const tables = [
  markdownTable(
    ['ingest', ''],
    [
      [
        'rows committed, a second, while they are written to segments',
        Math.round(rows / (ingest.milliseconds / 1000)).toLocaleString('en'),
      ],
      ['merged to one segment, its graph built', seconds(merge.milliseconds)],
      ...[ingest, merge]
        .flatMap(({ peaks }) => peaks)
        .map(({ at, bytes }) => [`peak memory until ${at}`, megabytes(bytes)]),
    ],
  ),
  markdownTable(
    ['query, 10 nearest', 'recall@10', 'ms, median'],
    query.ways.map(({ name, recall, milliseconds }) => [name, recall.toFixed(4), milliseconds.toFixed(3)]),
  ),
  markdownTable(
    ['filter lets through', 'recall@10', 'ms, median'],
    query.filters.map(({ name, recall, milliseconds }) => [name, recall.toFixed(4), milliseconds.toFixed(3)]),
  ),
  markdownTable(
    ['cold start to the first answer', 'recall@10', 'Lookalike', 'download the graph, then read it', 'ratio'],
    cold.stores.map(({ name, recall, own, plain, bytes, plainBytes }) => [
      name,
      recall.toFixed(4),
      `${seconds(own)}, ${megabytes(bytes)}`,
      `${seconds(plain)}, ${megabytes(plainBytes)}`,
      (own / plain).toFixed(2),
    ]),
  ),
  markdownTable(
    ['memory and load', ''],
    [
      [
        'bytes a vector stored: rows, codes of both kinds and keys, graph',
        query.bytesPerVector.map((n) => n.toFixed(0)).join(', '),
      ],
      ['peak memory of the process that queries', megabytes(query.peak)],
      ['codes loaded and checked', `${seconds(cold.codesLoad)}, ${megabytes(cold.codesBytes)}`],
      ['graph loaded and checked', `${seconds(cold.graphLoad)}, ${megabytes(cold.graphBytes)}`],
      ['graph read by bare hnswlib', seconds(cold.bareGraphLoad)],
      ['graph file read', seconds(cold.graphRead)],
      ['flat scan, codes a second', `${(query.flatBytesPerSecond / 1e9).toFixed(1)} GB`],
      [
        'the same memory summed by a loop of SIMD loads',
        `${(query.memoryBytesPerSecond / 1e9).toFixed(1)} GB a second`,
      ],
    ],
  ),
];
const heading = `# A million vectors\n\n${rows.toLocaleString('en')} x ${dimension}, synthetic clusters, cosine, ${efConstruction ? `efConstruction ${efConstruction}` : 'default settings'} (one segment at the end); ${availableParallelism()} cores, ${process.arch}, Node ${process.version}, hnswlib ${hnswBuild}. \`npm run bench:index:million\`.`;
const text = `${heading}\n\n${tables.join('\n\n')}\n`;
const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'index-million.md'), text);
writeFileSync(
  join(results, 'index-million.json'),
  `${JSON.stringify({ rows, dimension, efConstruction, cores: availableParallelism(), hnswBuild, ingest, merge, query, cold }, null, 2)}\n`,
);
console.log(`\n${text}`);
