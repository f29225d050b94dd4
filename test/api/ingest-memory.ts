/**
 * Sends NDJSON of a given size through one request, and prints how much memory the server took meanwhile.
 *
 *     npm run check:ingest-memory -- [--megabytes 1024] [--engine real|none] [--limit 300]
 *
 * `none` has an engine that forgets what it is given: the memory of the HTTP side alone. With `--limit` it fails where the server took
 * more megabytes than that.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createApp, keepYoungSpaceSmall, lazyEncoders, serve } from '@lookalike/api';
import { type Collection, openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';

const dimension = 128;
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    engine: { type: 'string', default: 'real' },
    limit: { type: 'string' },
    serve: { type: 'string' },
  },
});

function forgetful(collection: Collection): Collection {
  return {
    ...collection,
    info: collection.info,
    upsert: (items) =>
      Promise.resolve({ version: 1, results: items.map(({ id }) => ({ id, status: 'stored' as const })) }),
  } as Collection;
}

async function runServer(folder: string): Promise<void> {
  // As `lookalike serve` does.
  keepYoungSpaceSmall();
  const store = await openFolderStore(folder);
  const engine = openEngine({ store });
  const open = engine.collection.bind(engine);
  if (values.engine === 'none') engine.collection = async (name) => forgetful(await open(name));
  const none = () => Promise.reject(new Error('no encoder here'));
  const app = createApp({
    engine,
    objects: store,
    encoders: lazyEncoders({ default: 'none', names: ['none'], open: none }),
  });
  const server = await serve(app, { port: 0 });
  let peak = process.memoryUsage();
  setInterval(() => {
    const now = process.memoryUsage();
    if (now.rss > peak.rss) peak = now;
  }, 50);
  process.on('message', () => process.send?.({ peak, now: process.memoryUsage() }));
  process.send?.({ url: server.url });
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

async function runClient(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-ingest-'));
  const child = fork(import.meta.filename, ['--serve', folder, '--engine', values.engine]);
  try {
    await ingestInto(child);
  } finally {
    child.kill();
    rmSync(folder, { recursive: true });
  }
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
    return await reply<{ peak: NodeJS.MemoryUsage; now: NodeJS.MemoryUsage }>();
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
  const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
  if (values.limit !== undefined && megabytes(after.peak.rss) > Number(values.limit)) process.exitCode = 1;
  console.log({
    engine: values.engine,
    sentMegabytes: megabytes(sent),
    items,
    stored: lines.reduce((sum, { stored }) => sum + stored, 0),
    commits: lines.length,
    seconds: Math.round(seconds),
    itemsPerSecond: Math.round(items / seconds),
    rssMegabytes: { before: megabytes(before.now.rss), peak: megabytes(after.peak.rss) },
    atPeak: Object.fromEntries(
      Object.entries(after.peak).map(([part, bytes]) => [part, megabytes(bytes as number)]),
    ),
  });
}

await (values.serve === undefined ? runClient() : runServer(values.serve));
