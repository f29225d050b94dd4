/**
 * Runs the exact package that is deployed under arm64 emulation, beside the same package for x86-64: pictures are encoded, indexes
 * built, exchanged both ways and queried over HTTP, and the answers compared. `npm run check:arm64`
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { SQSBatchResponse } from 'aws-lambda';
import { bundleFunctions } from '../../infra/src/bundle.ts';
import { arm64Node, NoEmulation } from './arm64-emulation.ts';
import { photograph } from './drop-pictures.ts';
import { ADMIN_KEY, Cloud } from './loopback/cloud.ts';
import { WebFunction } from './loopback/web-function.ts';

const patience = 600_000;
const tolerance = 1e-4;
const rows = 2000;
const dimension = 64;
process.env.LOOKALIKE_GRAPH_FROM_ROWS = '200';

interface Match {
  id: string;
  similarity: number;
}

interface QueryAnswer {
  matches: Match[];
  receipt: { segments: { way: string }[] };
}

const started = performance.now();
const say = (text: string) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);

const node = await arm64Node().catch((error: unknown) => {
  if (!(error instanceof NoEmulation)) throw error;
  console.log(`check:arm64 skipped: ${error.message}`);
  process.exit(0);
});
const [arm64, x64] = await Promise.all([
  bundleFunctions({ architecture: 'arm64' }),
  bundleFunctions({ architecture: 'x64' }),
]);
say(`bundled: ${arm64.directory}`);
const cloud = await Cloud.start();
const codeOf = ({ directory }: { directory: string }) => ({
  moduleOf: (name: string) => join(directory, 'app', `${name}.js`),
});
const onX64 = codeOf(x64);
const onArm64 = { ...codeOf(arm64), node };

async function withApi<T>(
  code: typeof onX64 & { node?: string[] },
  use: (url: string) => Promise<T>,
): Promise<T> {
  const api = await WebFunction.start({ module: code.moduleOf('api-web'), env: cloud.env, node: code.node });
  try {
    await api.listening(patience);
    return await use(api.url);
  } finally {
    await api.stop('SIGKILL');
  }
}

/** By node:http: `fetch` gives up on an answer after five minutes, whatever it is told, and emulation may take longer. */
async function ask<T>(url: string, method: string, path: string, body?: object | Uint8Array): Promise<T> {
  const picture = body instanceof Uint8Array;
  const headers = {
    authorization: `Bearer ${ADMIN_KEY}`,
    ...(body === undefined ? {} : { 'content-type': picture ? 'image/jpeg' : 'application/json' }),
  };
  const sent = request(url + path, { method, headers, timeout: patience });
  sent.end(body === undefined || picture ? body : JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const answer = await text(response);
  assert.ok(
    response.statusCode === 200 || response.statusCode === 201,
    `${method} ${path}: ${response.statusCode} ${answer}`,
  );
  return JSON.parse(answer) as T;
}

function vector(seed: number): number[] {
  return Array.from({ length: dimension }, (_, at) => Math.sin(seed * 12.9898 + at * at * 0.37));
}

function assertSameMatches(actual: Match[], expected: Match[]): void {
  assert.deepEqual(
    actual.map(({ id }) => id),
    expected.map(({ id }) => id),
  );
  actual.forEach(({ similarity }, index) => {
    assert.ok(Math.abs(similarity - (expected[index]?.similarity ?? Number.NaN)) < tolerance);
  });
}

/** Few candidates, so that the graph pays on so small a collection. */
const queries = [5, 123, 599].map((at) => ({ vector: vector(at + 0.01), topK: 5, ef: 8, explain: true }));

/** Asked until the graph answers: a cold reader goes by the codes while the graph loads. */
async function queryAll(url: string, collection: string): Promise<QueryAnswer[]> {
  const until = performance.now() + patience;
  for (;;) {
    const answers: QueryAnswer[] = [];
    for (const query of queries)
      answers.push(await ask(url, 'POST', `/v1/collections/${collection}/query`, query));
    if (answers.every(({ receipt }) => receipt.segments.every(({ way }) => way === 'graph'))) return answers;
    assert.ok(performance.now() < until, `the graph of ${collection} is not used`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

try {
  await withApi(onX64, async (url) => {
    for (const collection of ['by-arm64', 'by-x64']) {
      await ask(url, 'PUT', `/v1/collections/${collection}`, { dimension, metric: 'cosine' });
      const items = Array.from({ length: rows }, (_, at) => ({ id: `row-${at}`, vector: vector(at) }));
      await ask(url, 'POST', `/v1/collections/${collection}/items`, { items });
    }
  });
  await cloud.drop('ingest/pictures-arm64/cat.jpg', photograph('cat'));
  await cloud.drop('ingest/pictures-x64/cat.jpg', photograph('cat'));
  const messages = cloud.sqs.messages('embed').map(({ body }, index) => ({ messageId: `m${index}`, body }));
  const [toArm64, toX64] = messages;
  say('written by x86-64: two collections of vectors; dropped: a picture for each architecture');

  const index = (code: typeof onX64, collection: string) =>
    cloud
      .function('index-collections', 'handler', code)
      .invoke<SQSBatchResponse>(
        { Records: [{ messageId: 'm', body: JSON.stringify({ collection }) }] },
        patience,
      );
  const embed = (code: typeof onX64, message: unknown) =>
    cloud.function('embed', 'handler', code).invoke<SQSBatchResponse>({ Records: [message] }, patience);
  const done = { batchItemFailures: [] };
  assert.deepEqual(await index(onArm64, 'by-arm64'), done);
  say('index built on arm64');
  assert.deepEqual(await index(onX64, 'by-x64'), done);
  assert.deepEqual(await embed(onX64, toX64), done);
  assert.deepEqual(await embed(onArm64, toArm64), done);
  say('picture encoded on arm64, from a JPEG, by the event of S3');

  const read = async (url: string) => ({
    byArm64: await queryAll(url, 'by-arm64'),
    byX64: await queryAll(url, 'by-x64'),
    picture: await ask<QueryAnswer>(url, 'POST', '/v1/collections/pictures-x64/query', photograph('cat')),
  });
  const fromX64 = await withApi(onX64, read);
  const fromArm64 = await withApi(onArm64, read);
  say('both read both over HTTP, in fresh processes');
  for (const answers of [fromX64.byArm64, fromX64.byX64, fromArm64.byArm64, fromArm64.byX64]) {
    answers.forEach(({ matches }, at) => {
      assertSameMatches(matches, fromX64.byX64[at]?.matches ?? []);
    });
  }
  assert.equal(fromArm64.picture.matches[0]?.id, 'cat.jpg');
  assert.ok(
    (fromArm64.picture.matches[0]?.similarity ?? 0) > 1 - tolerance,
    'the embedding differs from x86-64’s',
  );

  const [arm, x] = await withApi(onX64, (url) =>
    Promise.all(
      ['pictures-arm64', 'pictures-x64'].map(
        async (name) =>
          (
            await ask<{ vector: number[] }>(
              url,
              'GET',
              `/v1/collections/${name}/items/cat.jpg?include=vector`,
            )
          ).vector,
      ),
    ),
  );
  assert.ok(arm !== undefined && x !== undefined && arm.length === x.length);
  const difference = Math.max(...arm.map((value, at) => Math.abs(value - (x[at] ?? Number.NaN))));
  assert.ok(difference < tolerance, `embeddings differ by ${difference}`);
  say(`equal: graphs of both, read by both; embeddings differ by at most ${difference}`);
} finally {
  await cloud.stop();
}
