import { describe, expect, it } from 'vitest';
import { lazyEncoders } from './encoders.ts';
import { pixelEncoder } from './testing/pixel-encoder.ts';
import { openTestApp, photograph } from './testing/test-app.ts';

async function problem(response: Response): Promise<{ status: number; code: string; detail: string }> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = (await response.json()) as {
    status: number;
    code: string;
    detail: string;
    type: string;
    requestId: string;
  };
  expect(body.status).toBe(response.status);
  expect(body.type).toBe(`urn:lookalike:problem:${body.code}`);
  expect(body.requestId).toBe(response.headers.get('x-request-id'));
  return body;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

describe('pictures', () => {
  it('stores, finds, lists and deletes them, and serves their thumbnails', async () => {
    const { app, send } = openTestApp();
    expect((await send('PUT', '/v1/collections/photos')).status).toBe(201);
    for (const name of ['cat', 'rocket', 'coffee']) {
      const stored = await app.request(
        `http://localhost/v1/collections/photos/items/dir%2F${name}?metadata={"kind":"${name}"}`,
        {
          method: 'PUT',
          headers: { 'content-type': 'image/jpeg' },
          body: photograph(`${name}.jpg`),
        },
      );
      expect(stored.status).toBe(200);
      expect(await stored.json()).toMatchObject({
        id: `dir/${name}`,
        status: 'stored',
        picture: { format: 'jpeg' },
      });
    }

    const found = await app.request('http://localhost/v1/collections/photos/query?topK=2&explain=true', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: photograph('rocket.jpg'),
    });
    const answer = (await found.json()) as {
      matches: { id: string; similarity: number; metadata: Record<string, unknown> }[];
      receipt: unknown;
    };
    expect(answer.matches).toHaveLength(2);
    expect(answer.matches[0]).toMatchObject({
      id: 'dir/rocket',
      metadata: { kind: 'rocket', picture: { bytes: photograph('rocket.jpg').length } },
    });
    expect(answer.matches[0]?.similarity).toBeCloseTo(1, 5);
    expect(answer.receipt).toBeDefined();

    const sha256 = (answer.matches[0]?.metadata.picture as { sha256: string } | undefined)?.sha256;
    const thumbnailPath = '/v1/collections/photos/items/dir%2Frocket/thumbnail';
    const thumbnail = await send('GET', `${thumbnailPath}?sha256=${sha256}`);
    expect(thumbnail.headers.get('content-type')).toBe('image/webp');
    expect(thumbnail.headers.get('cache-control')).toContain('immutable');
    expect(
      Buffer.from(await thumbnail.arrayBuffer())
        .subarray(8, 12)
        .toString(),
    ).toBe('WEBP');
    const again = await send('GET', thumbnailPath, undefined, { 'if-none-match': `"${sha256}"` });
    expect(again.status).toBe(304);
    expect((await send('GET', thumbnailPath)).headers.get('cache-control')).not.toContain('immutable');
    expect((await problem(await send('GET', `${thumbnailPath}?sha256=${'0'.repeat(64)}`))).code).toBe(
      'no-thumbnail',
    );

    const page = (await (await send('GET', '/v1/collections/photos/items?limit=2')).json()) as {
      items: { id: string }[];
      cursor: string;
    };
    expect(page.items.map(({ id }) => id)).toEqual(['dir/cat', 'dir/coffee']);
    const rest = await (await send('GET', `/v1/collections/photos/items?cursor=${page.cursor}`)).json();
    expect(rest).toMatchObject({ items: [{ id: 'dir/rocket' }] });
    expect(rest).not.toHaveProperty('cursor');

    expect(await (await send('DELETE', '/v1/collections/photos/items/dir%2Frocket')).json()).toMatchObject({
      deleted: 1,
    });
    expect((await problem(await send('GET', '/v1/collections/photos/items/dir%2Frocket'))).code).toBe(
      'unknown-item',
    );
    expect((await problem(await send('GET', thumbnailPath))).code).toBe('unknown-item');
  });

  it('holds what reads a picture at full size to the limits of the encoder', async () => {
    // Enough to encode the photograph of 451 x 300, which passes by row by row, and not to hold its pixels.
    const limits = { maxDecodeBytes: 3 * 451 * 300 };
    const open = async (name: string) => pixelEncoder(name, limits);
    const { send } = openTestApp({ encoders: lazyEncoders({ default: 'pixels', names: ['pixels'], open }) });
    await send('PUT', '/v1/collections/photos');
    const image = base64(photograph('cat.jpg'));
    const answer = await send('POST', '/v1/collections/photos/items', { items: [{ id: 'cat', image }] });
    expect(await answer.json()).toMatchObject({
      results: [{ status: 'invalid', error: { code: 'picture-too-many-pixels' } }],
    });
    expect((await send('POST', '/v1/collections/photos/query', { image })).status).toBe(200);
  });

  it('gives each bad item of a batch its own error, and stores the others', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/photos');
    const items = [
      { id: 'good', image: base64(photograph('cat.jpg')) },
      { id: 'text', image: base64(Buffer.from('this is no picture')) },
      { id: 'cut', image: base64(photograph('coffee.jpg').subarray(0, 4000)) },
      { id: 'not base64', image: '§§§' },
      { id: 'both', image: 'AAAA', vector: [1] },
      { id: 'short', vector: [1, 2, 3] },
      { id: '', vector: [1] },
      { id: 'typo', vector: [1], metdata: {} },
      null,
    ];
    const response = await send('POST', '/v1/collections/photos/items', { items });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as {
      stored: number;
      results: { status: string; error?: { code: string } }[];
    };
    expect(answer.stored).toBe(1);
    expect(answer.results.map(({ status, error }) => error?.code ?? status)).toEqual([
      'stored',
      'picture-unsupported-format',
      'picture-damaged',
      'invalid-request',
      'invalid-request',
      'invalid-vector',
      'invalid-request',
      'invalid-request',
      'invalid-request',
    ]);
  });

  it('answers 422 for a single bad picture and names the reason', async () => {
    const { app, send, failures } = openTestApp();
    await send('PUT', '/v1/collections/photos');
    const put = (body: Uint8Array<ArrayBuffer>) =>
      app.request('http://localhost/v1/collections/photos/items/x', {
        method: 'PUT',
        headers: { 'content-type': 'image/png' },
        body,
      });
    expect(await problem(await put(new Uint8Array()))).toMatchObject({ status: 422, code: 'picture-empty' });
    expect(await problem(await put(new TextEncoder().encode('hello')))).toMatchObject({
      status: 422,
      code: 'picture-unsupported-format',
    });
    expect(failures).toEqual([]);
  });

  it('refuses pictures and vectors of another encoder', async () => {
    const { app, send } = openTestApp();
    await send('PUT', '/v1/collections/vectors', { dimension: 4 });
    const put = await app.request('http://localhost/v1/collections/vectors/items/x', {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg' },
      body: photograph('cat.jpg'),
    });
    expect((await problem(put)).code).toBe('collection-without-encoder');

    await send('PUT', '/v1/collections/photos');
    const foreign = await send('POST', '/v1/collections/photos/items', {
      items: [{ id: 'a', vector: [1] }],
      encoder: 'f'.repeat(64),
    });
    expect(await problem(foreign)).toMatchObject({ status: 409, code: 'encoder-mismatch' });
    expect((await problem(await send('PUT', '/v1/collections/photos', { model: 'other-pixels' }))).code).toBe(
      'collection-exists',
    );
    expect((await problem(await send('PUT', '/v1/collections/p', { model: 'nowhere' }))).code).toBe(
      'unknown-model',
    );
  });

  it('compares two pictures from a form or as JSON', async () => {
    const { app, send } = openTestApp();
    const form = new FormData();
    form.set('a', new Blob([photograph('cat.jpg')]));
    form.set('b', new Blob([photograph('cat.jpg')]));
    const same = await (
      await app.request('http://localhost/v1/compare', { method: 'POST', body: form })
    ).json();
    expect(same).toMatchObject({
      euclidean: 0,
      absolute: 0,
      similarity: 1,
      same: true,
      falsePositiveRate: 0.01,
    });
    const other = await send('POST', '/v1/compare', {
      a: { image: base64(photograph('cat.jpg')) },
      b: { image: base64(photograph('rocket.jpg')) },
    });
    const different = (await other.json()) as { same: boolean; euclidean: number; cosine: number };
    expect(different.same).toBe(false);
    expect(different.euclidean ** 2).toBeCloseTo(2 * different.cosine, 4);
  });
});

describe('vectors', () => {
  it('answers batches of queries one by one', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 2, metric: 'l2' });
    await send('POST', '/v1/collections/v/items', {
      items: [
        { id: 'a', vector: [0, 0], metadata: { n: 1 } },
        { id: 'b', vector: [3, 4], metadata: { n: 2 } },
      ],
    });
    const response = await send('POST', '/v1/collections/v/query', {
      queries: [
        { vector: [0, 0], topK: 1 },
        { id: 'a' },
        { vector: [1, 2, 3] },
        { id: 'nobody' },
        { vector: [0, 0], filter: { field: 'n', gte: 2 } },
      ],
    });
    expect(await response.json()).toMatchObject({
      results: [
        { matches: [{ id: 'a', distance: 0, similarity: 1 }] },
        { matches: [{ id: 'b', distance: 5, similarity: 1 / 6 }] },
        { error: { code: 'invalid-vector' } },
        { error: { code: 'unknown-item' } },
        { matches: [{ id: 'b' }] },
      ],
    });
  });

  it('takes NDJSON of any length, a line a commit, and gives NDJSON back', async () => {
    const { app, send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 2, metric: 'l2' });
    const lines = Array.from({ length: 12_000 }, (_, n) => JSON.stringify({ id: `n${n}`, vector: [n, 1] }));
    lines[7000] = '{"id": "broken"';
    lines[8000] = JSON.stringify({ id: 'wrong', vector: [1, 2, 3] });
    const ingested = await app.request('http://localhost/v1/collections/v/items', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\r\n\r\n'),
    });
    expect(ingested.headers.get('content-type')).toBe('application/x-ndjson');
    const commits = (await ingested.text())
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            from: number;
            count: number;
            stored: number;
            version: number;
            results: unknown[];
          },
      );
    expect(commits.length).toBeGreaterThan(1);
    expect(commits.reduce((sum, { count }) => sum + count, 0)).toBe(12_000);
    expect(commits.reduce((sum, { stored }) => sum + stored, 0)).toBe(11_998);
    expect(commits.flatMap(({ results }) => results)).toMatchObject([
      { index: 7000, status: 'invalid', error: { code: 'invalid-json' } },
      { index: 8000, id: 'wrong', status: 'invalid', error: { code: 'invalid-vector' } },
    ]);
    const out = await send('GET', '/v1/collections/v/items?include=vector', undefined, {
      accept: 'application/x-ndjson',
    });
    const items = (await out.text()).trim().split('\n');
    expect(items).toHaveLength(11_998);
    expect(JSON.parse(items[0] as string)).toMatchObject({ id: 'n0', vector: [0, 1] });
  });

  it('counts and deletes by filter', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l1' });
    const items = Array.from({ length: 20 }, (_, n) => ({
      id: `${n}`,
      vector: [n],
      metadata: { even: n % 2 === 0 },
    }));
    await send('POST', '/v1/collections/v/items', { items });
    const filter = { field: 'even', equals: true };
    expect(await (await send('POST', '/v1/collections/v/count', { filter })).json()).toMatchObject({
      count: 10,
    });
    expect(await (await send('POST', '/v1/collections/v/delete', { filter })).json()).toMatchObject({
      deleted: 10,
    });
    expect(await (await send('POST', '/v1/collections/v/count')).json()).toMatchObject({ count: 10 });
    const odd = await send('POST', '/v1/collections/v/get', { ids: ['1', '2'] });
    expect(await odd.json()).toEqual({
      items: [{ id: '1', version: expect.any(Number), metadata: { even: false } }, null],
    });
    expect((await problem(await send('POST', '/v1/collections/v/delete', {}))).code).toBe('invalid-request');
  });
});

describe('collections', () => {
  it('have the parameters of the graph that they were created with', async () => {
    const { send } = openTestApp();
    const config = { dimension: 2, metric: 'l1', hnsw: { m: 32 } };
    expect((await send('PUT', '/v1/collections/v', config)).status).toBe(201);
    expect(await (await send('GET', '/v1/collections/v')).json()).toMatchObject({
      metric: 'l1',
      hnsw: { m: 32, efConstruction: 200 },
    });
    const other = await send('PUT', '/v1/collections/v', { ...config, hnsw: { m: 16 } });
    expect((await problem(other)).code).toBe('collection-exists');
  });

  it('are created once, listed in pages and dropped', async () => {
    const { send } = openTestApp();
    for (const name of ['a', 'b', 'c']) await send('PUT', `/v1/collections/${name}`, { dimension: 3 });
    expect((await send('PUT', '/v1/collections/a', { dimension: 3 })).status).toBe(200);
    expect((await problem(await send('PUT', '/v1/collections/a', { dimension: 4 }))).status).toBe(409);
    const first = (await (await send('GET', '/v1/collections?limit=2')).json()) as { cursor: string };
    expect(first).toMatchObject({ collections: [{ name: 'a', metric: 'cosine' }, { name: 'b' }] });
    const second = await (await send('GET', `/v1/collections?limit=2&cursor=${first.cursor}`)).json();
    expect(second).toMatchObject({ collections: [{ name: 'c' }] });
    expect((await send('DELETE', '/v1/collections/b')).status).toBe(204);
    expect((await problem(await send('GET', '/v1/collections/b'))).code).toBe('unknown-collection');
    expect(await (await send('GET', '/v1/collections/a/stats')).json()).toMatchObject({ items: 0 });
    expect((await problem(await send('POST', '/v1/collections/a/recall'))).code).toBe('too-few-items');
  });

  it('measures recall', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 2, metric: 'l2' });
    await send('POST', '/v1/collections/v/items', {
      items: Array.from({ length: 50 }, (_, n) => ({ id: `${n}`, vector: [n, n * n] })),
    });
    const report = await (await send('POST', '/v1/collections/v/recall', { sample: 10, k: 5 })).json();
    expect(report).toMatchObject({ sample: 10, k: 5, recall: 1 });
  });
});

describe('requests', () => {
  it.each([
    ['PUT', '/v1/collections/v', { dimension: 2, metrics: 'l2' }, 400, 'invalid-request'],
    ['PUT', '/v1/collections/%20', {}, 400, 'invalid-request'],
    ['POST', '/v1/collections/v/items', { items: [] }, 400, 'invalid-request'],
    ['POST', '/v1/collections/v/query', { vector: [1, 2], topk: 3 }, 400, 'invalid-request'],
    ['POST', '/v1/collections/v/query', { vector: [1, 2], id: 'a' }, 400, 'invalid-request'],
    ['POST', '/v1/collections/v/query', { vector: [1, 'NaN'] }, 400, 'invalid-request'],
    ['POST', '/v1/collections/v/query', { vector: [0, 0] }, 400, 'invalid-vector'],
    [
      'POST',
      '/v1/collections/v/query',
      { vector: [1, 2], filter: { field: 'a', eq: 1 } },
      400,
      'invalid-filter',
    ],
    ['POST', '/v1/collections/v/query', { vector: [1, 2], minVersion: 1_000_000 }, 409, 'unknown-version'],
    [
      'POST',
      '/v1/collections/v/query',
      { vector: [1, 2], minSimilarity: 0.5, cursor: 'x' },
      400,
      'invalid-request',
    ],
    ['POST', '/v1/collections/nowhere/query', { vector: [1, 2] }, 404, 'unknown-collection'],
    ['GET', '/v1/collections/v/items?cursor=abc', undefined, 400, 'invalid-cursor'],
    ['GET', '/v1/collections/v/items?limit=1e9', undefined, 400, 'invalid-request'],
    ['GET', '/v1/collections/v/items?limit=1&limit=2', undefined, 400, 'invalid-request'],
    ['GET', '/v1/collections/v/items?filter={', undefined, 400, 'invalid-request'],
    ['GET', '/v1/nothing', undefined, 404, 'unknown-route'],
    ['PATCH', '/v1/collections/v/query', {}, 405, 'method-not-allowed'],
  ])('%s %s is refused', async (method, path, body, status, code) => {
    const { send, failures } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    expect(await problem(await send(method, path, body))).toMatchObject({ status, code });
    expect(failures).toEqual([]);
  });

  it('refuses bodies over the limit while they stream in', async () => {
    const { app, send } = openTestApp({
      limits: { jsonBytes: 1000, ndjsonLineBytes: 1000, pictureBytes: 1000 },
    });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    let pulled = 0;
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(400).fill(0x20));
        },
      });
    const post = (path: string, type: string) =>
      app.request(`http://localhost/v1/collections/v/${path}`, {
        method: path.startsWith('items/') ? 'PUT' : 'POST',
        headers: { 'content-type': type },
        body: endless(),
        duplex: 'half',
      } as RequestInit);
    expect((await problem(await post('query', 'application/json'))).code).toBe('body-too-large');
    expect((await problem(await post('items/x', 'image/png'))).code).toBe('body-too-large');
    const lines = (await (await post('items', 'application/x-ndjson')).text()).trim().split('\n');
    expect(JSON.parse(lines.at(-1) as string)).toMatchObject({
      problem: { status: 413, code: 'body-too-large' },
    });
    expect(pulled).toBeLessThan(30);
  });

  it('refuses JSON that is nested too deeply or not JSON', async () => {
    const { app, send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const post = (body: string) =>
      app.request('http://localhost/v1/collections/v/items', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await problem(await post('['.repeat(50_000) + ']'.repeat(50_000)))).code).toBe('json-too-deep');
    expect((await problem(await post('{"items": [NaN]}'))).code).toBe('invalid-json');
    const text = await app.request('http://localhost/v1/collections/v/items', { method: 'POST', body: '{}' });
    expect((await problem(text)).code).toBe('unsupported-media-type');
  });

  it('refuses bodies that are compressed and paths that are not UTF-8, in words', async () => {
    const { app, send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const compressed = await problem(
      await send('POST', '/v1/collections/v/query', { vector: [1, 2] }, { 'content-encoding': 'gzip' }),
    );
    expect(compressed).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    expect(compressed.detail).toContain('gzip');
    const plain = { 'content-encoding': 'identity' };
    expect((await send('POST', '/v1/collections/v/query', { vector: [1, 2] }, plain)).status).toBe(200);

    const named = await problem(await send('PUT', '/v1/collections/v/items/%ff', { vector: [1, 2] }));
    expect(named).toMatchObject({ status: 400, code: 'invalid-request' });
    expect((await app.request('http://localhost/v1/collections/v/items/%25ff')).status).toBe(404);
  });

  it('logs nothing of a request whose client went away', async () => {
    const { app, send, failures } = openTestApp();
    await send('PUT', '/v1/collections/photos');
    const gone = AbortSignal.abort(new Error('went away'));
    const response = await app.request('http://localhost/v1/collections/photos/items/cat', {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg' },
      body: photograph('cat.jpg'),
      signal: gone,
    });
    expect(response.status).toBe(500);
    expect(failures).toEqual([]);
  });

  it('turns unexpected failures into a problem that tells nothing, and logs them', async () => {
    const { send, failures } = openTestApp({
      engine: {
        listCollections: () => Promise.reject(new Error('secret path /srv/x')),
      } as never,
    });
    const { detail, code } = await problem(await send('GET', '/v1/collections'));
    expect(code).toBe('internal');
    expect(detail).not.toContain('secret');
    expect(failures).toHaveLength(1);
    expect(String(failures[0]?.error)).toContain('secret');
  });

  it('answers 429 with Retry-After when too many are under way', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { send } = openTestApp({
      limits: { concurrentRequests: 1 },
      engine: { listCollections: () => held.then(() => ({ collections: [], damaged: [] })) } as never,
    });
    const first = send('GET', '/v1/collections');
    const second = await send('GET', '/v1/collections');
    expect(second.status).toBe(429);
    expect((await problem(second)).code).toBe('overloaded');
    expect(second.headers.get('retry-after')).toBe('1');
    expect((await send('GET', '/healthz')).status).toBe(200);
    release();
    expect((await first).status).toBe(200);
    expect((await send('GET', '/v1/collections')).status).toBe(200);
  });
});
