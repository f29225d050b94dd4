/**
 * Where to encode: the latency of vector queries by themselves, beside pictures encoded in a worker thread of the same process, in a
 * process of its own, and on the thread that answers. `npm run bench:encode-place`
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApp, lazyEncoders } from '@lookalike/api';
import { describeModel, openEncoder, resolveModel } from '@lookalike/encoder';
import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import * as ort from 'onnxruntime-web';
import { photograph } from './drop-pictures.ts';

const rows = Number(process.env.LOOKALIKE_ROWS ?? 20_000);
const queries = Number(process.env.LOOKALIKE_QUERIES ?? 200);
const dimension = 256;
const picture = photograph('cat');

/** Run as a program of its own by the third measurement. */
if (process.argv[2] === 'encode') {
  const encoder = await openEncoder(await resolveModel(), { threads: 1 });
  console.log('ready');
  for (;;) await encoder.encode([picture]);
}

let state = 1;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
}
const vector = () => Float32Array.from({ length: dimension }, random);

const store = new MemoryStore();
const engine = openEngine({ store, maintenance: false, commitWindow: 0 });
const encoders = lazyEncoders({ default: '', names: [], open: () => Promise.reject(new Error('no model')) });
const app = createApp({ engine, objects: store, encoders, access: { kind: 'upstream' } });
await engine.createCollection('vectors', { dimension, metric: 'cosine' });
const collection = await engine.collection('vectors');
await collection.upsert(Array.from({ length: rows }, (_, at) => ({ id: `row-${at}`, vector: vector() })));
await engine.compact('vectors');

/** One after the other, each after a pause, so that whatever else wants the thread gets its turn. */
async function latencies(count = queries): Promise<number[]> {
  const taken: number[] = [];
  for (let at = 0; at < count; at++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const body = JSON.stringify({ vector: Array.from(vector()), topK: 10 });
    const began = performance.now();
    const headers = { 'content-type': 'application/json' };
    const response = await app.request('/v1/collections/vectors/query', { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
    taken.push(performance.now() - began);
  }
  return taken.sort((a, b) => a - b);
}

function report(where: string, taken: number[], pictures?: number): void {
  const at = (share: number) =>
    (taken[Math.floor(share * (taken.length - 1))] as number).toFixed(1).padStart(7);
  const encoded = pictures === undefined ? '' : `  ${pictures} pictures meanwhile`;
  console.log(`${where.padEnd(46)} p50 ${at(0.5)} ms  p99 ${at(0.99)} ms${encoded}`);
}

/** Runs `work` again and again until the measurement has ended; how often it ran. */
async function beside(
  work: () => Promise<unknown>,
  count = queries,
): Promise<{ taken: number[]; times: number }> {
  let measuring = true;
  let times = 0;
  const lane = (async () => {
    for (; measuring; times++) {
      await work();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const taken = await latencies(count);
  measuring = false;
  await lane;
  return { taken, times };
}

await latencies();
report('queries alone', await latencies());

const encoder = await openEncoder(await resolveModel(), { threads: 1 });
const inWorker = await beside(() => encoder.encode([picture]));
report('encoding in a worker thread (as deployed)', inWorker.taken, inWorker.times);
await encoder.close();

const child = spawn(process.execPath, [import.meta.filename, 'encode'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
await new Promise((resolve) => child.stdout.once('data', resolve));
report('encoding in a process of its own (embed)', await latencies());
child.kill('SIGKILL');

const directory = await resolveModel();
const { model } = await describeModel(directory);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(
  new Uint8Array(await readFile(join(directory, model.file))),
  {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
  },
);
const { width, height, name } = model.input;
const shape = model.input.layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3];
const input = new ort.Tensor('float32', new Float32Array(3 * width * height), shape);
// Every query waits for a whole picture: fewer of them do.
const onThread = await beside(() => session.run({ [name]: input }), Math.ceil(queries / 5));
report('inference on the thread that answers', onThread.taken, onThread.times);
await engine.close();
process.exit(0);
