/**
 * npm run bench:index: the index against hnswlib-node and usearch, with the same parameters on the same vectors in one run, on real
 * embeddings (made by `node test/bench/index/embed-pictures.ts`, once) and on synthetic clusters. Writes results/index.{json,md}.
 * LOOKALIKE_BENCH_ROWS (default 100000) and LOOKALIKE_BENCH_DIMENSION (128) of the synthetic ones; LOOKALIKE_BENCH_VECTORS: another
 * .npy of float32 rows. Contenders take turns, block after block of queries: ratios are medians of rounds.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { basename, join } from 'node:path';
import { hnswBuild } from '@lookalike/hnsw';
import { embeddingsFile } from './index/embeddings-file.ts';
import { measureVectorSet, type VectorSetReport } from './index/vector-set.ts';
import { clusteredVectors, readNpy } from './index/vectors.ts';
import { markdownTable } from './markdown-table.ts';

const rows = Number(process.env.LOOKALIKE_BENCH_ROWS ?? 100_000);
const dimension = Number(process.env.LOOKALIKE_BENCH_DIMENSION ?? 128);

const reports: VectorSetReport[] = [];
const load = loadavg()[0] as number;
const embeddings = process.env.LOOKALIKE_BENCH_VECTORS ?? (await embeddingsFile());
if (embeddings !== undefined && existsSync(embeddings)) {
  console.log(`real embeddings, ${basename(embeddings)}`);
  reports.push(await measureVectorSet('real embeddings', readNpy(readFileSync(embeddings))));
} else
  console.log(
    embeddings === undefined
      ? 'real embeddings skipped: no data'
      : 'real embeddings skipped: make them with node test/bench/index/embed-pictures.ts',
  );
if (rows > 0) {
  console.log('synthetic clusters');
  reports.push(await measureVectorSet('synthetic clusters', clusteredVectors(rows + 200, dimension, 1)));
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
const percent = (share: number) => `${share * 100}%`;
const ms = (value: number) => value.toFixed(value < 1 ? 3 : 2);
const sections = reports.map((report) => {
  const ways = [...new Set(report.curve.flatMap((point) => point.ways.map(({ name }) => name)))];
  const { flat, bytesPerVector } = report;
  return [
    `## ${whole(report.rows)} x ${report.dimension}, ${report.name}`,
    markdownTable(
      ["search: recall@10, queries a second (to npm's)", ...report.curve.map(({ ef }) => `ef ${ef}`)],
      ways.map((name) => [
        name,
        ...report.curve.map((point) => {
          const way = point.ways.find((other) => other.name === name);
          return way === undefined
            ? ''
            : `${way.recall.toFixed(4)} ${whole(way.queriesPerSecond)} (${way.toFirst.toFixed(2)})`;
        }),
      ]),
    ),
    `Default settings: recall@10 ${report.defaults.recall.toFixed(4)}, ${ms(report.defaults.milliseconds)} ms a query. Flat, exact and proven: ${ms(flat.milliseconds)} ms a query, ${(flat.bytesPerSecond / 1e9).toFixed(1)} GB of codes a second; memory read by SIMD loads alone: ${(flat.memoryBytesPerSecond / 1e9).toFixed(1)}. Bytes a vector: rows ${whole(bytesPerVector.rows)}, codes and keys ${whole(bytesPerVector.codes)}, graph ${whole(bytesPerVector.graph)}.`,
    markdownTable(
      ['build', 'rows a second', 'seconds'],
      report.build.map(({ name, rowsPerSecond, seconds }) => [
        name,
        whole(rowsPerSecond),
        seconds.toFixed(1),
      ]),
    ),
    `Two threads to one: ${report.twoCoresToOne.toFixed(2)}.`,
    markdownTable(
      ['default settings', 'recall@10', 'ms a query'],
      [
        ...report.filters.map((row) => [
          `filter lets through ${percent(row.share)}`,
          row.recall.toFixed(4),
          ms(row.milliseconds),
        ]),
        ...report.deletes.map((row) => [
          `${percent(row.share)} deleted, not compacted`,
          row.recall.toFixed(4),
          ms(row.milliseconds),
        ]),
      ],
    ),
    markdownTable(
      ['rows in the tail', 'ms a query', 'with a filter'],
      report.tail.map((row) => [whole(row.rows), ms(row.milliseconds), ms(row.filteredMilliseconds)]),
    ),
  ].join('\n\n');
});
const heading = `# The index\n\nk 10, M 16, efConstruction 200, cosine; ${availableParallelism()} cores, load ${load.toFixed(1)} when it began, ${process.arch}, Node ${process.version}, hnswlib ${hnswBuild}. \`npm run bench:index\`.`;
const text = `${heading}\n\n${sections.join('\n\n')}\n`;
const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'index.md'), text);
writeFileSync(
  join(results, 'index.json'),
  `${JSON.stringify({ cores: availableParallelism(), load, hnswBuild, reports }, null, 2)}\n`,
);
console.log(`\n${text}`);
