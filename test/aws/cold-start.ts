/**
 * Measures process start -> first vector query answered, of the package for x86-64 against a local S3 server with 100,000 rows of 256
 * dimensions. `npm run bench:cold-start`
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { openEngine } from '@lookalike/index';
import { S3Store } from '@lookalike/store/s3';
import { bundleFunctions } from '../../infra/src/bundle.ts';
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

const { directory } = await bundleFunctions({ architecture: 'x64' });
const cloud = await Cloud.start();
try {
  const client = { endpoint: cloud.s3.url, region: 'us-east-1', forcePathStyle: true };
  const credentials = { accessKeyId: 'loopback', secretAccessKey: 'loopback' };
  const store = new S3Store({ bucket: 'data', client: { ...client, credentials } });
  const engine = openEngine({ store, maintenance: false, commitWindow: 0 });
  await engine.createCollection('vectors', { dimension, metric: 'cosine' });
  const collection = await engine.collection('vectors');
  const next = vectors();
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

  const query = JSON.stringify({ vector: Array.from(next(7)), topK: 10, explain: true });
  const figures: Record<string, number[]> = {};
  const note = (name: string, milliseconds: number) => {
    figures[name] ??= [];
    figures[name].push(milliseconds);
  };
  for (let start = 0; start < starts; start++) {
    note('empty Node', await emptyNode());
    // Each environment has a disk of its own.
    const env = { ...cloud.env, TMPDIR: join(cloud.env.TMPDIR as string, `start-${start}`) };
    const began = performance.now();
    const api = await WebFunction.start({ module: join(directory, 'app/api-web.js'), env });
    await api.listening(120_000);
    note('listening', performance.now() - began);
    const asked = performance.now();
    const response = await fetch(`${api.url}/v1/collections/vectors/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: query,
    });
    const answer = (await response.json()) as {
      receipt: { milliseconds: Record<string, number> };
      matches: unknown[];
    };
    if (!response.ok || answer.matches.length !== 10)
      throw new Error(`unexpected answer ${JSON.stringify(answer)}`);
    note('first query', performance.now() - asked);
    note('process start -> first answer', performance.now() - began);
    note('  processor time of that', await api.processorTime());
    for (const [stage, milliseconds] of Object.entries(answer.receipt.milliseconds))
      note(`  ${stage}`, milliseconds);
    await api.stop('SIGKILL');
  }
  for (const [name, values] of Object.entries(figures)) {
    const least = Math.min(...values);
    console.log(
      `${name.padEnd(32)} median ${median(values).toFixed(0).padStart(6)} ms, least ${least.toFixed(0)} ms`,
    );
  }
} finally {
  await cloud.stop();
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
