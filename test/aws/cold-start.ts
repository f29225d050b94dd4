/**
 * Measures process start -> first query answered, by a vector and by a picture, of the package for x86-64 against a local S3 server
 * with 100,000 rows of 256 dimensions. `npm run bench:cold-start`
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openEngine } from '@lookalike/index';
import { S3Store } from '@lookalike/store/s3';
import { bundleFunctions } from '../../infra/src/bundle.ts';
import { photograph } from './drop-pictures.ts';
import { ADMIN_KEY, Cloud } from './loopback/cloud.ts';
import { WebFunction } from './loopback/web-function.ts';

const rows = Number(process.env.LOOKALIKE_ROWS ?? 100_000);
const dimension = 256;
const starts = Number(process.env.LOOKALIKE_STARTS ?? 7);

/** Clustered, as embeddings are: a centre of 1,000 and some noise. */
function vectors(): (at: number) => Float32Array {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const centres = Array.from({ length: 1000 }, () => Float32Array.from({ length: dimension }, random));
  return (at) => (centres[at % 1000] as Float32Array).map((value) => value + 0.3 * random());
}

const median = (values: number[]) =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const figures = new Map<string, number[]>();
const next = vectors();
const { directory } = await bundleFunctions({ architecture: 'x64' });
const cloud = await Cloud.start();
try {
  const client = { endpoint: cloud.s3.url, region: 'us-east-1', forcePathStyle: true };
  const credentials = { accessKeyId: 'loopback', secretAccessKey: 'loopback' };
  const store = new S3Store({ bucket: 'data', client: { ...client, credentials } });
  const engine = openEngine({ store, maintenance: false, commitWindow: 0 });
  await engine.createCollection('vectors', { dimension, metric: 'cosine' });
  const collection = await engine.collection('vectors');
  for (let from = 0; from < rows; from += 10_000) {
    const items = Array.from({ length: Math.min(10_000, rows - from) }, (_, at) => ({
      id: `row-${from + at}`,
      vector: next(from + at),
    }));
    await collection.upsert(items);
  }
  await engine.compact('vectors');
  await engine.close();
  console.log(`${rows} x ${dimension} in ${(await collectionObjects(cloud)).join(', ')}`);

  await storePicture();
  const vector = { path: 'vectors', type: 'application/json', body: vectorQuery(), matches: 10 };
  const picture = { path: 'pictures', type: 'image/jpeg', body: photograph('cat'), matches: 1 };
  for (let start = 0; start < starts; start++) {
    note('an empty Node, for comparison', await emptyNode());
    await coldQuery('vector', vector, start);
    await coldQuery('picture', picture, start);
    const { compile, model } = await runtimeParts();
    note('picture: of that, WASM compile', compile);
    note('picture: of that, model read and checked', model);
  }
  for (const [name, values] of figures) {
    const least = Math.min(...values);
    console.log(
      `${name.padEnd(44)} median ${median(values).toFixed(0).padStart(6)} ms, least ${least.toFixed(0)} ms`,
    );
  }
} finally {
  await cloud.stop();
}

function note(name: string, milliseconds: number): void {
  figures.set(name, [...(figures.get(name) ?? []), milliseconds]);
}

function vectorQuery(): string {
  return JSON.stringify({ vector: Array.from(next(7)), topK: 10, explain: true });
}

interface Query {
  path: string;
  type: string;
  body: string | Uint8Array;
  matches: number;
}

/** From the start of the process until a first query is answered; the request is there before the server is. */
async function coldQuery(kind: string, { path, type, body, matches }: Query, start: number): Promise<void> {
  // Each environment has a disk of its own.
  const env = { ...cloud.env, TMPDIR: join(cloud.env.TMPDIR as string, `${kind}-${start}`) };
  const began = performance.now();
  const api = await WebFunction.start({ module: join(directory, 'app/api-web.js'), env });
  await api.listening(120_000);
  const asked = performance.now();
  const response = await fetch(
    `${api.url}/v1/collections/${path}/query?${type === 'image/jpeg' ? 'explain=true' : ''}`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': type },
      body: new Uint8Array(Buffer.from(body)),
    },
  );
  const answer = (await response.json()) as {
    receipt: { milliseconds: Record<string, number> };
    matches: unknown[];
  };
  const ended = performance.now();
  if (!response.ok || answer.matches.length !== matches)
    throw new Error(`unexpected answer ${JSON.stringify(answer)}`);
  const { codeLoaded, ready } = startOf(api.log);
  note(`${kind}: process start -> first answer`, ended - began);
  note(`${kind}:   processor time of that`, await api.processorTime());
  note(`${kind}:   code load, with Node`, codeLoaded);
  note(`${kind}:   keys, models, port`, ready - codeLoaded);
  note(`${kind}:   the query`, ended - asked);
  for (const [stage, milliseconds] of Object.entries(answer.receipt.milliseconds))
    note(`${kind}:     of it ${stage}`, milliseconds);
  await api.stop('SIGKILL');
}

/** What the function logs of itself once it listens. */
function startOf(log: string): { codeLoaded: number; ready: number } {
  const line = log.split('\n').find((text) => text.includes('"message":"listening"'));
  if (line === undefined) throw new Error(`the function does not say when it listened:\n${log}`);
  return JSON.parse(line) as { codeLoaded: number; ready: number };
}

async function storePicture(): Promise<void> {
  await cloud.drop('ingest/pictures/cat.jpg', photograph('cat'));
  const code = { moduleOf: (name: string) => join(directory, 'app', `${name}.js`) };
  await cloud.eventSource(cloud.embedQueue, 20, cloud.function('embed', 'handler', code)).drain();
}

/** The runtime of models and the model by themselves, in a process of their own. */
async function runtimeParts(): Promise<{ compile: number; model: number }> {
  const script = `
    import { createHash } from 'node:crypto';
    import { readFile, readdir } from 'node:fs/promises';
    const [app] = process.argv.slice(1);
    const began = performance.now();
    await WebAssembly.compile(await readFile(app + '/ort-wasm-simd-threaded.wasm'));
    const compiled = performance.now();
    const [name] = await readdir(app + '/models');
    createHash('sha256').update(await readFile(app + '/models/' + name + '/model.onnx')).digest('hex');
    console.log(JSON.stringify({ compile: compiled - began, model: performance.now() - compiled }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, join(directory, 'app')]);
  return JSON.parse(await text(child.stdout)) as { compile: number; model: number };
}

async function emptyNode(): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => spawn(process.execPath, ['-e', '0']).on('exit', resolve));
  return performance.now() - began;
}

async function collectionObjects({ s3 }: Cloud): Promise<string[]> {
  const sizes = new Map<string, number>();
  for (const [key, { body }] of s3.buckets.get('data') ?? []) {
    const kind =
      key.split('/').at(2) === 'segments' ? (key.split('/').at(-1) ?? '') : (key.split('/').at(2) ?? '');
    sizes.set(kind, (sizes.get(kind) ?? 0) + body.length);
  }
  return [...sizes].map(([kind, bytes]) => `${kind} ${(bytes / 1e6).toFixed(1)} MB`);
}
