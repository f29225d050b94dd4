import { setImmediate } from 'node:timers/promises';
import { openEngine } from '@lookalike/index';
import { afterEach, describe, expect, it } from 'vitest';
import { createApiKey } from '../../api/src/api-keys.ts';
import type { LookalikeApp } from '../../api/src/app.ts';
import { serve } from '../../api/src/serve.ts';
import { openTestApp, photograph } from '../../api/src/testing/test-app.ts';
import type { ItemInput, UpsertLine } from './index.ts';
import { LookalikeClient } from './index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(app: LookalikeApp = openTestApp().app): Promise<LookalikeClient> {
  const server = await serve(app, { port: 0 });
  cleanups.push(() => server.close(0));
  return new LookalikeClient(server.url);
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of all) list.push(one);
  return list;
}

/** Answers from a list, and remembers what was asked. */
function scripted(answers: (() => Response)[]): { fetch: typeof fetch; requests: Request[] } {
  const requests: Request[] = [];
  return {
    requests,
    fetch: (async (input: string, init: RequestInit) => {
      requests.push(new Request(input, init));
      const answer = answers[requests.length - 1];
      if (answer === undefined) throw new Error('asked more often than expected');
      return answer();
    }) as typeof fetch,
  };
}

const busy =
  (headers: Record<string, string> = {}) =>
  () =>
    new Response('busy', { status: 503, headers });
const healthy = () => Response.json({ status: 'ok', version: '1', models: [] });

describe('the client against a server', () => {
  it('walks a picture through its life', async () => {
    const client = await start();
    expect((await client.health()).status).toBe('ok');
    expect((await client.models()).models.map(({ name }) => name)).toContain('pixels');
    await client.createCollection('photos');
    for (const name of ['cat', 'rocket', 'clock']) {
      const file = name === 'clock' ? 'clock.png' : `${name}.jpg`;
      const stored = await client.putPicture('photos', name, photograph(file), {
        metadata: { name, n: name.length },
      });
      expect(stored).toMatchObject({ id: name, status: 'stored' });
    }
    const { matches } = await client.query('photos', {
      picture: new Blob([photograph('cat.jpg')], { type: 'image/jpeg' }),
      topK: 1,
      filter: { field: 'n', lte: 5 },
      include: ['metadata'],
    });
    expect(matches).toMatchObject([{ id: 'cat', metadata: { name: 'cat' } }]);
    const long = { note: 'ü'.repeat(20_000) };
    expect(await client.putPicture('photos', 'cat', photograph('cat.jpg'), { metadata: long })).toMatchObject(
      {
        status: 'stored',
      },
    );
    const values = Array.from({ length: 2000 }, (_, n) => `not ${n}`);
    const filtered = await client.query('photos', {
      picture: photograph('cat.jpg'),
      topK: 1,
      filter: {
        or: [
          { field: 'name', in: values },
          { field: 'note', exists: true },
        ],
      },
    });
    expect(filtered.matches).toMatchObject([{ id: 'cat' }]);
    const batch = await client.queryBatch('photos', [
      { picture: photograph('clock.png'), topK: 1 },
      { id: 'nobody' },
    ]);
    expect(batch).toMatchObject([{ matches: [{ id: 'clock' }] }, { error: { code: 'unknown-item' } }]);
    expect(await client.compare(photograph('cat.jpg'), photograph('rocket.jpg'))).toMatchObject({
      same: false,
    });
    expect((await client.thumbnail('photos', 'cat')).type).toBe('image/webp');
    expect((await collect(client.listItems('photos', { pageSize: 1 }))).map(({ id }) => id)).toEqual([
      'cat',
      'clock',
      'rocket',
    ]);
    expect(await client.count('photos', { field: 'n', equals: 5 })).toMatchObject({ count: 1 });
    expect(await client.deleteItem('photos', 'cat')).toMatchObject({ deleted: 1 });
    await expect(client.getItem('photos', 'cat')).rejects.toMatchObject({
      status: 404,
      code: 'unknown-item',
    });
    expect(await client.stats('photos')).toMatchObject({ items: 2 });
    await client.dropCollection('photos');
    expect(await collect(client.listCollections())).toEqual([]);
  });

  it('lists what is whole, and tells what is damaged', async () => {
    const { store, send } = openTestApp();
    for (const name of ['a', 'b', 'c']) await send('PUT', `/v1/collections/${name}`, { dimension: 2 });
    await store.put(`collections/b/log/${'1'.padStart(20, '0')}`, new Uint8Array(9));
    const key = createApiKey('reader', 'read', ['a', 'c']);
    const access = { kind: 'keys' as const, keys: [key.stored] };
    const restarted = () => ({ objects: store, engine: openEngine({ store }) });
    const client = await start(openTestApp(restarted()).app);
    const told: { name: string; code: string }[] = [];
    const all = client.listCollections({ onDamaged: (one) => told.push(one) });
    expect((await collect(all)).map(({ name }) => name)).toEqual(['a', 'c']);
    expect(told).toMatchObject([{ name: 'b', code: 'damaged-object' }]);

    const seen: string[] = [];
    const untold = async () => {
      for await (const { name } of client.listCollections()) seen.push(name);
    };
    await expect(untold()).rejects.toMatchObject({ code: 'damaged-object' });
    expect(seen).toEqual(['a', 'c']);

    const { send: ask } = openTestApp({ ...restarted(), access });
    const answer = await ask('GET', '/v1/collections', undefined, { authorization: `Bearer ${key.key}` });
    expect(await answer.json()).not.toHaveProperty('damaged');
  });

  it('reaches items whose ids are no addresses', async () => {
    const client = await start();
    await client.createCollection('photos');
    for (const id of ['..', '.']) {
      expect(await client.putPicture('photos', id, photograph('cat.jpg'))).toMatchObject({
        id,
        status: 'stored',
      });
      expect(await client.getItem('photos', id)).toMatchObject({ id });
      expect(await client.deleteItem('photos', id)).toMatchObject({ deleted: 1 });
      await expect(client.getItem('photos', id)).rejects.toMatchObject({ code: 'unknown-item' });
    }
    await client.putPicture('photos', 'cat', photograph('cat.jpg'));
    const similar = await client.putPicture('photos', '.', photograph('cat.jpg'), { unlessSimilar: 0.99 });
    expect(similar).toMatchObject({ id: '.', status: 'similar', match: { id: 'cat' } });
    await expect(client.putPicture('photos', '..', new Uint8Array([1, 2]))).rejects.toMatchObject({
      code: 'picture-unsupported-format',
    });
  });

  it('ingests any number of items and finds all that are near', async () => {
    const client = await start();
    await client.createCollection('v', { dimension: 2, metric: 'l2' });
    async function* items(): AsyncGenerator<ItemInput> {
      for (let n = 0; n < 2500; n++) yield { id: `n${n}`, vector: n === 1234 ? [1] : [n, 0] };
    }
    const lines: UpsertLine[] = await collect(client.ingest('v', items(), { requestItems: 1000 }));
    expect(lines.map(({ from, count }) => [from, count])).toEqual([
      [0, 1000],
      [1000, 1000],
      [2000, 500],
    ]);
    expect(lines.flatMap(({ results }) => results)).toMatchObject([
      { index: 1234, id: 'n1234', status: 'invalid' },
    ]);
    const near = await collect(client.queryRange('v', { vector: [0, 0], minSimilarity: 1 / 2101 }));
    // n1234 was refused.
    expect(near).toHaveLength(2100);
    expect(near.at(-1)).toMatchObject({ id: 'n2100', distance: 2100 });
  });

  it('compares vectors, and a vector with a picture', async () => {
    const client = await start();
    const one = Array.from({ length: 192 }, (_, n) => n - 90);
    expect(
      await client.compare(
        one,
        one.map((value) => -2 * value),
      ),
    ).toMatchObject({ cosine: 2, same: false });
    expect(await client.compare(one, photograph('cat.jpg'))).toMatchObject({ same: false });
  });

  it('says what ended a stream of items, and where its acknowledged part ends', async () => {
    const problem = { code: 'write-failed', detail: 'the disk is full', status: 503 };
    const stored = { version: 2, from: 0, count: 1, stored: 1, results: [] };
    const { fetch } = scripted([
      () => new Response(`${JSON.stringify(stored)}\n${JSON.stringify({ problem })}\n`),
    ]);
    const lines: UpsertLine[] = [];
    const ingesting = (async () => {
      const client = new LookalikeClient('http://x', { fetch });
      const items = ['a', 'b'].map((id) => ({ id, vector: [1] }));
      for await (const line of client.ingest('v', items)) lines.push(line);
    })();
    await expect(ingesting).rejects.toMatchObject({
      status: 503,
      code: 'write-failed',
      message: 'the disk is full',
    });
    expect(lines).toEqual([stored]);
  });

  it('loses no item to one that is none', async () => {
    const client = await start();
    await client.createCollection('v', { dimension: 1, metric: 'l2' });
    const items = [{ id: 'a', vector: [1] }, JSON.parse('null'), { id: 'b', vector: [2] }];
    const [line] = await collect(client.ingest('v', items));
    expect(line).toMatchObject({ count: 3, stored: 2, results: [{ index: 1, status: 'invalid' }] });
    const { fetch, requests } = scripted([]);
    expect(await collect(new LookalikeClient('http://x', { fetch }).ingest('v', []))).toEqual([]);
    expect(requests).toEqual([]);
  });

  it('moves a collection as Arrow', async () => {
    const client = await start();
    for (const [name, dimension] of [
      ['from', 2],
      ['to', 2],
      ['narrow', 1],
    ] as const) {
      await client.createCollection(name, { dimension, metric: 'l2' });
    }
    const items = Array.from({ length: 2500 }, (_, n) => ({ id: `n${n}`, vector: [n, -n], metadata: { n } }));
    await client.upsert('from', items);
    const data = await new Response(await client.exportArrow('from')).blob();
    expect(await client.importArrow('to', data)).toEqual({ rows: 2500, stored: 2500, refused: [] });
    expect(await client.getItem('to', 'n1234', { include: ['metadata', 'vector'] })).toMatchObject({
      vector: [1234, -1234],
      metadata: { n: 1234 },
    });
    const refused = await client.importArrow('narrow', data);
    expect(refused).toMatchObject({
      rows: 2500,
      stored: 0,
      refused: expect.arrayContaining([{ id: 'n0', status: 'invalid', error: expect.anything() }]),
    });
    const broken = client.importArrow('to', new TextEncoder().encode('this is no Arrow'));
    await expect(broken).rejects.toMatchObject({ status: 400, code: 'invalid-arrow' });
  });

  it('brings the groups of duplicates', async () => {
    const client = await start();
    await client.createCollection('v', { dimension: 2 });
    await client.upsert('v', [
      { id: 'a', vector: [1, 0] },
      { id: 'b', vector: [1, 0.01] },
      { id: 'c', vector: [0, 1] },
    ]);
    const groups = await collect(client.duplicates('v', { minSimilarity: 0.99 }));
    expect(groups.map(({ items }) => items.map(({ id }) => id).sort())).toEqual([['a', 'b']]);
    await expect(collect(client.duplicates('v'))).rejects.toMatchObject({
      code: 'no-threshold',
      status: 409,
    });
    await client.createCollection('far', { dimension: 2, metric: 'l2' });
    await expect(collect(client.duplicates('far', { minSimilarity: 0.99 }))).rejects.toMatchObject({
      code: 'metric-not-supported',
    });
  });

  it('writes under conditions and patches metadata', async () => {
    const client = await start();
    await client.createCollection('photos');
    for (const id of ['cat', '..']) {
      const { version } = await client.putPicture('photos', id, photograph('cat.jpg'), {
        metadata: { a: 1, b: { c: 2 } },
        ifVersion: 0,
      });
      const again = client.putPicture('photos', id, photograph('cat.jpg'), { ifVersion: 0 });
      await expect(again).rejects.toMatchObject({ status: 412, code: 'version-conflict' });
      const patched = await client.patchItem('photos', id, { a: null, b: { d: 3 } }, { ifVersion: version });
      expect(patched.metadata).toMatchObject({ b: { c: 2, d: 3 }, picture: { format: 'jpeg' } });
      expect(patched.metadata).not.toHaveProperty('a');
      expect((await client.getItem('photos', id)).version).toBe(patched.version);
      const late = client.patchItem('photos', id, { a: 2 }, { ifVersion: version });
      await expect(late).rejects.toMatchObject({ status: 412, code: 'version-conflict' });
      expect(
        await client.putPicture('photos', id, photograph('rocket.jpg'), { ifVersion: patched.version }),
      ).toMatchObject({
        status: 'stored',
      });
    }
    await expect(client.patchItem('photos', 'nobody', {})).rejects.toMatchObject({ code: 'unknown-item' });
  });

  it('tells problems by their code', async () => {
    const client = await start();
    await expect(client.getCollection('nowhere')).rejects.toMatchObject({
      name: 'LookalikeApiError',
      status: 404,
      code: 'unknown-collection',
      requestId: expect.stringMatching(/./),
      message: expect.stringContaining('nowhere'),
    });
  });
});

describe('attempts', () => {
  it('are repeated while the server is busy, after the time it asks for', async () => {
    const { fetch, requests } = scripted([busy({ 'retry-after': '0' }), busy(), healthy]);
    const client = new LookalikeClient('http://server.example/base/', { fetch });
    expect((await client.health()).version).toBe('1');
    expect(requests.map(({ url }) => url)).toEqual(Array(3).fill('http://server.example/base/healthz'));
  });

  it('end where the server asks for a longer wait than allowed, or says no', async () => {
    const patient = scripted([busy({ 'retry-after': '3600' })]);
    await expect(new LookalikeClient('http://x', { fetch: patient.fetch }).health()).rejects.toMatchObject({
      status: 503,
      code: 'unexpected-answer',
    });
    const refused = scripted([() => Response.json({ code: 'forbidden', detail: 'no' }, { status: 403 })]);
    await expect(new LookalikeClient('http://x', { fetch: refused.fetch }).health()).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(refused.requests).toHaveLength(1);
  });

  it('are repeated where no answer came, and at last say so', async () => {
    const broken = () => {
      throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
    };
    const { fetch, requests } = scripted([broken, broken]);
    const client = new LookalikeClient('http://x', { fetch, retries: 1 });
    await expect(client.health()).rejects.toMatchObject({
      status: 0,
      code: 'connection-failed',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(requests).toHaveLength(2);
  });

  it('stop at once when aborted, also while waiting', async () => {
    const { fetch } = scripted([busy({ 'retry-after': '15' })]);
    const controller = new AbortController();
    const call = new LookalikeClient('http://x', { fetch }).health({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(call).rejects.toThrow('enough');
    const silent = (async (_: string, { signal }: RequestInit) => {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    }) as unknown as typeof fetch;
    const unanswered = new LookalikeClient('http://x', { fetch: silent });
    await expect(unanswered.health({ signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/);
    const bucket = scripted([
      () => Response.json({ url: 's3://b/u', uploadUrl: 'http://bucket/u', headers: {}, expires: '' }),
      busy({ 'retry-after': '15' }),
    ]);
    const later = new AbortController();
    const upload = new LookalikeClient('http://x', { fetch: bucket.fetch }).upload(new Uint8Array(1), {
      signal: later.signal,
    });
    setTimeout(() => later.abort(new Error('enough')), 20);
    await expect(upload).rejects.toThrow('enough');
  });

  it('of an upload that had arrived count as done', async () => {
    const made = () =>
      Response.json({ url: 's3://b/u', uploadUrl: 'http://bucket/u', headers: {}, expires: '' });
    const there = () => new Response('PreconditionFailed', { status: 412 });
    const { fetch, requests } = scripted([made, busy({ 'retry-after': '0' }), there]);
    const client = new LookalikeClient('http://x', { fetch, key: 'lk_1' });
    expect(await client.upload(new Uint8Array(1))).toBe('s3://b/u');
    // The address is what gives access, and to others than the server.
    expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer lk_1', null, null]);
  });

  it('are authorized anew each time, over the bytes that are sent', async () => {
    const { fetch, requests } = scripted([busy(), healthy]);
    let calls = 0;
    const client = new LookalikeClient('http://x', {
      fetch,
      key: 'lk_1',
      authorize: async ({ headers, method, body }) => {
        await setImmediate();
        headers.set('x-signature', `${++calls} ${method} ${typeof body}`);
      },
    });
    await client.createCollection('v', { dimension: 2 });
    expect(requests.map(({ headers }) => [headers.get('authorization'), headers.get('x-signature')])).toEqual(
      [
        ['Bearer lk_1', '1 PUT string'],
        ['Bearer lk_1', '2 PUT string'],
      ],
    );
    expect(await requests[1]?.json()).toEqual({ dimension: 2 });
  });

  it('are repeated where an answer breaks off', async () => {
    const cut = () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"status":'));
            controller.error(new TypeError('terminated'));
          },
        }),
      );
    const { fetch, requests } = scripted([cut, healthy, cut]);
    const client = new LookalikeClient('http://x', { fetch, retries: 1 });
    expect((await client.health()).status).toBe('ok');
    expect(requests).toHaveLength(2);
    const hasty = new LookalikeClient('http://x', { fetch, retries: 0 });
    await expect(hasty.health()).rejects.toMatchObject({ status: 0, code: 'connection-failed' });
  });

  it('to drop a collection are done where a lost answer was that of the deletion, and only then', async () => {
    const { app } = openTestApp();
    const client = new LookalikeClient('http://localhost', {
      fetch: (async (...args) => app.request(...args)) as typeof fetch,
    });
    for (const lost of ['connection', 'gateway', 'refusal'] as const) {
      await client.createCollection('photos', { dimension: 2 });
      let attempts = 0;
      const losing = new LookalikeClient('http://localhost', {
        maxRetryDelay: 1,
        fetch: (async (...args) => {
          attempts++;
          if (attempts === 1 && lost === 'refusal') {
            await client.dropCollection('photos');
            return Response.json({ code: 'overloaded', detail: 'later', status: 503 }, { status: 503 });
          }
          const answer = await app.request(...args);
          if (attempts > 1) return answer;
          if (lost === 'connection') throw new TypeError('fetch failed');
          return new Response('the upstream took too long', { status: 504 });
        }) as typeof fetch,
      });
      const dropped = losing.dropCollection('photos');
      // Where the first attempt did nothing for sure, somebody else has dropped it.
      if (lost === 'refusal') await expect(dropped).rejects.toMatchObject({ code: 'unknown-collection' });
      else await dropped;
      expect(attempts).toBe(2);
    }
    await expect(client.dropCollection('photos')).rejects.toMatchObject({ code: 'unknown-collection' });
  });

  it('end at an answer that is none of this API', async () => {
    const page = () => new Response('<!DOCTYPE html><p>It works!</p>');
    const { fetch } = scripted([page, page]);
    const client = new LookalikeClient('http://x', { fetch });
    const expected = { name: 'LookalikeApiError', code: 'unexpected-answer' };
    await expect(client.health()).rejects.toMatchObject(expected);
    await expect(collect(client.ingest('v', [{ id: 'a', vector: [1] }]))).rejects.toMatchObject(expected);
  });

  it('of a write under a condition are repeated only where nothing was written for sure', async () => {
    const gateway = () => new Response('the upstream took too long', { status: 504 });
    const problem = (code: string) => () =>
      Response.json({ code, detail: code, status: 503 }, { status: 503, headers: { 'retry-after': '0' } });
    const writes: [string, (client: LookalikeClient) => Promise<unknown>][] = [
      ['one item', (client) => client.upsert('v', [{ id: 'a', vector: [1], ifVersion: 0 }])],
      ['a stream', (client) => collect(client.ingest('v', [{ id: 'a', vector: [1], ifVersion: 0 }]))],
      ['metadata', (client) => client.patchItem('v', 'a', { b: 1 }, { ifVersion: 3 })],
      ['of several', (client) => client.patchItems('v', [{ id: 'a', metadata: {}, ifVersion: 3 }])],
      ['a picture', (client) => client.putPicture('v', 'a', new Uint8Array(1), { ifVersion: 3 })],
    ];
    for (const [name, write] of writes) {
      for (const answer of [gateway, problem('commit-unknown')]) {
        const { fetch, requests } = scripted([answer]);
        await expect(write(new LookalikeClient('http://x', { fetch })), name).rejects.toThrow();
        expect(requests, name).toHaveLength(1);
      }
      const { fetch, requests } = scripted([
        problem('closed'),
        () => Response.json({ count: 1, results: [] }),
      ]);
      await write(new LookalikeClient('http://x', { fetch }));
      expect(requests, name).toHaveLength(2);
    }
  });

  it('are of bounded size in bytes, whatever the items are written in', async () => {
    const { app } = openTestApp();
    const sizes: number[] = [];
    const client = new LookalikeClient('http://localhost', {
      fetch: (async (input: string, init: RequestInit) => {
        const request = new Request(input, init);
        sizes.push((await request.clone().arrayBuffer()).byteLength);
        return app.fetch(request);
      }) as typeof fetch,
    });
    await client.createCollection('v', { dimension: 1, metric: 'l2' });
    const items = Array.from({ length: 50 }, (_, n) => ({
      id: `n${n}`,
      vector: [n],
      metadata: { title: '猫の写真'.repeat(20) },
    }));
    const lines = await collect(client.ingest('v', items, { requestBytes: 2000 }));
    expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(50);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2000);
  });
});
