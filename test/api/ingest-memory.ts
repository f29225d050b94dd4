/**
 * Sends NDJSON of a given size through one request, and prints how much memory the server took meanwhile, and of what.
 *
 *     npm run check:ingest-memory -- [--megabytes 1024] [--engine real|none] [--limit 300]
 *
 * The server runs bundled, as an installed package does: type stripping alone would take 40 MB a thread. It opens no encoder. `none` has an
 * engine that forgets what it is given: the memory of the HTTP side alone. With `--limit` it fails where the server took more megabytes
 * than that. 1024 MB take about a minute and a half.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bundleOptions } from '../../packages/cli/bundle-options.ts';
import type { Memory } from './ingest-memory-server.ts';

const repository = resolve(import.meta.dirname, '../..');
const dimension = 128;
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    engine: { type: 'string', default: 'real' },
    limit: { type: 'string' },
  },
});

async function bundleServer(folder: string): Promise<string> {
  await build({
    absWorkingDir: repository,
    entryPoints: {
      server: 'test/api/ingest-memory-server.ts',
      'build-worker': 'packages/index/src/build-worker.ts',
    },
    outdir: join(folder, 'lib'),
    ...bundleOptions,
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  cpSync(join(repository, 'packages/hnsw/prebuilds'), join(folder, 'prebuilds'), { recursive: true });
  return join(folder, 'lib/server.js');
}

/** Megabytes, by what holds them. `other`: the program, threads that build segments, graphs, what the allocator keeps. */
function partsOf({ rss, heapTotal, heapUsed, external, arrayBuffers }: NodeJS.MemoryUsage) {
  return {
    rss: megabytes(rss),
    heap: megabytes(heapTotal),
    heapUsed: megabytes(heapUsed),
    arrayBuffers: megabytes(arrayBuffers),
    other: megabytes(rss - heapTotal - external),
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/** Made once: writing numbers as text would take longer than reading them. */
const vectorTexts = Array.from({ length: 997 }, (_, n) =>
  Array.from({ length: dimension }, (_, i) => Math.sin(n * 31 + i * 17).toFixed(6)).join(),
);

function itemLines(count: number, from: number): string {
  let lines = '';
  for (let n = from; n < from + count; n++) {
    lines += `{"id":"item-${n}","vector":[${vectorTexts[n % 997]}],"metadata":{"n":${n}}}\n`;
  }
  return lines;
}

async function ingestInto(child: ChildProcess): Promise<void> {
  const reply = <T>() =>
    new Promise<T>((resolve) => child.once('message', (message) => resolve(message as T)));
  const { url } = await reply<{ url: string }>();
  const collection = `${url}/v1/collections/big`;
  await fetch(collection, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ dimension }),
  });
  const memory = async () => {
    child.send('memory');
    return await reply<Memory>();
  };
  const before = await memory();
  const wanted = Number(values.megabytes) * 1024 * 1024;
  const started = performance.now();
  let sent = 0;
  let items = 0;
  const answer = await new Promise<string>((resolve, reject) => {
    const outgoing = request(
      `${collection}/items`,
      { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        incoming.on('end', () => resolve(text)).on('error', reject);
      },
    );
    outgoing.on('error', reject);
    const write = () => {
      while (sent < wanted) {
        const lines = itemLines(500, items);
        items += 500;
        sent += lines.length;
        if (!outgoing.write(lines)) {
          outgoing.once('drain', write);
          return;
        }
      }
      outgoing.end();
    };
    write();
  });
  const seconds = (performance.now() - started) / 1000;
  const after = await memory();
  const lines = answer
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { stored: number });
  const stored = lines.reduce((sum, line) => sum + line.stored, 0);
  const isOver = values.limit !== undefined && megabytes(after.highest) > Number(values.limit);
  if (stored !== items || isOver) process.exitCode = 1;
  console.log({
    engine: values.engine,
    sentMegabytes: megabytes(sent),
    items,
    stored,
    commits: lines.length,
    seconds: Math.round(seconds),
    itemsPerSecond: Math.round(items / seconds),
    megabytes: {
      highest: megabytes(after.highest),
      before: partsOf(before.now),
      atPeak: partsOf(after.peak),
      answered: partsOf(after.now),
    },
  });
}

const data = mkdtempSync(join(tmpdir(), 'lookalike-ingest-'));
const cache = join(repository, 'node_modules/.cache/lookalike');
mkdirSync(cache, { recursive: true });
// Below node_modules, where what is left out of the bundle is found.
const bundle = mkdtempSync(join(cache, 'ingest-memory-'));
const child = fork(await bundleServer(bundle), [data, values.engine]);
child.once('exit', (code, signal) => console.error(`the server ended with ${signal ?? code}`));
try {
  await ingestInto(child);
} finally {
  child.removeAllListeners('exit').kill();
  for (const folder of [data, bundle]) rmSync(folder, { recursive: true });
}
