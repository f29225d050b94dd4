import { setImmediate } from 'node:timers/promises';
import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { animatedGif, madeFrames, resized } from '../../../test/made-animation.ts';
import { DuplicateJobs } from './duplicate-jobs.ts';
import type { DuplicatesJob, Item } from './schemas.ts';
import { openTestApp, photograph, type TestApp } from './testing/test-app.ts';

async function finished(send: TestApp['send'], path: string): Promise<DuplicatesJob> {
  for (;;) {
    const job = (await (await send('GET', path)).json()) as DuplicatesJob;
    if (job.status !== 'running') return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('duplicates', () => {
  it('groups pictures through a job, with which to keep', async () => {
    const { app, send } = openTestApp();
    await send('PUT', '/v1/collections/photos');
    const files = { 'one.jpg': 'cat.jpg', 'two.jpg': 'cat.jpg', 'other.jpg': 'rocket.jpg' };
    for (const [id, name] of Object.entries(files)) {
      await app.request(`http://localhost/v1/collections/photos/items/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'image/jpeg' },
        body: photograph(name),
      });
    }
    const started = await send('POST', '/v1/collections/photos/duplicates');
    expect(started.status).toBe(202);
    const location = started.headers.get('location') as string;
    expect(await finished(send, location)).toMatchObject({
      status: 'done',
      minSimilarity: 0.95,
      groupCount: 1,
      complete: true,
      groups: [
        {
          keep: 'one.jpg',
          weakest: 1,
          items: [
            { id: 'one.jpg', kind: 'exact' },
            { id: 'two.jpg', kind: 'exact', similarity: 1 },
          ],
        },
      ],
    });
    const csv = await send('GET', location, undefined, { accept: 'text/csv' });
    expect((await csv.text()).split('\r\n').slice(0, 3)).toEqual([
      'group,id,role,kind,similarity,reason,by',
      expect.stringContaining('one.jpg,one.jpg,keep,exact,1,'),
      'one.jpg,two.jpg,duplicate,exact,1,,',
    ]);
  });

  it('tells the same bytes, the same pixels and near-duplicates apart, and keeps what dedupe would', async () => {
    const { app, send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/photos');
    const cat = sharp(photograph('cat.jpg'));
    const { width = 0 } = await cat.metadata();
    const blank = sharp({ create: { width: 90, height: 60, channels: 3, background: '#fff' } });
    const files = {
      'original.jpg': photograph('cat.jpg'),
      'again.jpg': photograph('cat.jpg'),
      'pixels.png': await cat.clone().png().toBuffer(),
      'small.webp': await cat
        .clone()
        .resize(Math.round(width / 2))
        .webp()
        .toBuffer(),
      'blank.png': await blank.clone().png().toBuffer(),
      'blank.tiff': await blank.clone().tiff().toBuffer(),
      'other.jpg': photograph('rocket.jpg'),
    };
    for (const [id, body] of Object.entries(files)) {
      await app.request(`http://localhost/v1/collections/photos/items/${id}?metadata={"album":"a"}`, {
        method: 'PUT',
        headers: { 'content-type': 'image/jpeg' },
        body: new Uint8Array(body),
      });
    }
    const item = (await (await send('GET', '/v1/collections/photos/items/pixels.png')).json()) as Item;
    expect(item.metadata).toEqual({
      album: 'a',
      picture: {
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        pixelHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        perceptualHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        sharpness: expect.any(Number),
        width,
        height: expect.any(Number),
        frames: 1,
        bytes: files['pixels.png'].length,
        format: 'png',
      },
    });

    const started = await send('POST', '/v1/collections/photos/duplicates');
    const location = started.headers.get('location') as string;
    const { groups = [] } = (await (await send('GET', location)).json()) as DuplicatesJob;
    expect(groups.map(({ keep, reason, items }) => ({ keep, reason, items }))).toEqual([
      {
        keep: 'blank.png',
        reason: 'same picture, oldest file',
        items: [
          { id: 'blank.png', kind: 'exact', similarity: 1, lowInformation: true },
          { id: 'blank.tiff', kind: 'pixels', similarity: 1, lowInformation: true },
        ],
      },
      {
        keep: 'original.jpg',
        reason: 'same picture, oldest file',
        items: [
          { id: 'original.jpg', kind: 'exact', similarity: 1 },
          { id: 'again.jpg', kind: 'exact', similarity: 1 },
          { id: 'pixels.png', kind: 'pixels', similarity: 1 },
          { id: 'small.webp', kind: 'near', similarity: expect.any(Number) },
        ],
      },
    ]);

    await send('DELETE', '/v1/collections/photos/items/again.jpg');
    const page = await send('GET', `${location}?include=metadata`);
    const items = ((await page.json()) as DuplicatesJob).groups?.[1]?.items;
    expect(items?.map(({ id, metadata }) => [id, metadata?.album])).toEqual([
      ['original.jpg', 'a'],
      ['again.jpg', undefined],
      ['pixels.png', 'a'],
      ['small.webp', 'a'],
    ]);
  });

  it('groups by perceptual hash what is unlike by embedding, says so, and can be told not to', async () => {
    const { send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const picture = (perceptualHash: string) => ({ picture: { perceptualHash } });
    const items = [
      { id: 'a', vector: [1, 0], metadata: picture('00ff00ff00ff00ff'.repeat(4)) },
      { id: 'b', vector: [1, 1], metadata: picture('00ff00ff00ff00f0'.repeat(4)) },
      { id: 'c', vector: [0, 1], metadata: picture('ff00ff00ff00ff00'.repeat(4)) },
      { id: 'not one', vector: [0, 1], metadata: picture('nonsense') },
      // Of 64 bits, as older items have it: agrees with none.
      { id: 'old', vector: [-1, 1], metadata: picture('00ff00ff00ff00ff') },
      { id: 'older', vector: [-1, -1], metadata: picture('00ff00ff00ff00ff') },
    ];
    await send('POST', '/v1/collections/v/items', { items });
    const groups = async (body: object) => {
      const started = await send('POST', '/v1/collections/v/duplicates', { minSimilarity: 0.9, ...body });
      const job = await (await send('GET', started.headers.get('location') as string)).json();
      return (job as DuplicatesJob).groups?.map((group) => group.items);
    };
    const near = [
      { id: 'c', kind: 'exact', similarity: 1 },
      { id: 'not one', kind: 'near', similarity: 1 },
    ];
    expect(await groups({})).toEqual([near]);
    expect(await groups({ perceptualHash: true })).toEqual([
      [
        { id: 'a', kind: 'exact', similarity: 1 },
        { id: 'b', kind: 'near', similarity: expect.closeTo(Math.SQRT1_2, 5), by: 'perceptual-hash' },
      ],
      near,
    ]);
  });

  it('pairs two pages only where their perceptual hashes agree, unless similarity is all that counts', async () => {
    const { send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const page = (perceptualHash: string) => ({ picture: { perceptualHash, page: true } });
    const items = [
      { id: 'letter', vector: [1, 0], metadata: page('00ff00ff00ff00ff'.repeat(4)) },
      { id: 'copy', vector: [1, 0.01], metadata: page('00ff00ff00ff00fe'.repeat(4)) },
      { id: 'other letter', vector: [1, 0.02], metadata: page('ff00ff00ff00ff00'.repeat(4)) },
    ];
    await send('POST', '/v1/collections/v/items', { items });
    const groups = async (body: object) => {
      const started = await send('POST', '/v1/collections/v/duplicates', { minSimilarity: 0.9, ...body });
      const job = await (await send('GET', started.headers.get('location') as string)).json();
      return (job as DuplicatesJob).groups?.map((group) => group.items.map(({ id }) => id).sort());
    };
    expect(await groups({ perceptualHash: true })).toEqual([['copy', 'letter']]);
    expect(await groups({})).toEqual([['copy', 'letter', 'other letter']]);
  });

  it('groups animations that run alike', async () => {
    const { app, send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/films');
    const [cat, rocket] = (await Promise.all(
      ['cat.jpg', 'rocket.jpg'].map((name) => madeFrames(photograph(name), 6)),
    )) as [Buffer[], Buffer[]];
    const gif = await animatedGif([...cat, ...rocket]);
    const files = {
      'film.gif': gif,
      'small.webp': await resized(gif, 100).webp({ quality: 60 }).toBuffer(),
      'other.gif': await animatedGif([...cat, ...cat]),
    };
    for (const [id, body] of Object.entries(files))
      await app.request(`http://localhost/v1/collections/films/items/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'image/gif' },
        body: new Uint8Array(body),
      });
    const { metadata } = (await (await send('GET', '/v1/collections/films/items/film.gif')).json()) as Item;
    expect(metadata?.picture).toMatchObject({
      frames: 12,
      frameHashes: Array.from({ length: 8 }, () => expect.stringMatching(/^([0-9a-f]{64}){2}$/)),
    });
    const started = await send('POST', '/v1/collections/films/duplicates');
    const { groups = [] } = (await (
      await send('GET', started.headers.get('location') as string)
    ).json()) as DuplicatesJob;
    const found = groups.map(({ items }) => items.map(({ id, kind }) => [id, kind]));
    expect(found).toEqual([
      [
        ['film.gif', 'exact'],
        ['small.webp', 'near'],
      ],
    ]);
  });

  it('compares only what is new since the last search', async () => {
    const { send, store } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const put = (from: number, to: number) =>
      send('POST', '/v1/collections/v/items', {
        items: Array.from({ length: to - from }, (_, n) => ({
          id: `i${from + n}`,
          vector: [1, (from + n) % 5],
        })),
      });
    const search = async (body: object = {}) => {
      const started = await send('POST', '/v1/collections/v/duplicates', { minSimilarity: 0.999, ...body });
      const location = started.headers.get('location') as string;
      const { known, groups } = (await (await send('GET', location)).json()) as DuplicatesJob;
      return { known, sizes: groups?.map(({ items }) => items.length) };
    };
    await put(0, 50);
    expect(await search()).toEqual({ known: 0, sizes: [10, 10, 10, 10, 10] });
    await put(50, 55);
    await send('POST', '/v1/collections/v/delete', { ids: ['i0'] });
    // Written again, so another version: compared again.
    await put(1, 2);
    expect(await search()).toEqual({ known: 48, sizes: [10, 11, 11, 11, 11] });
    expect(await search()).toEqual({ known: 54, sizes: [10, 11, 11, 11, 11] });
    // Other items are chosen by a filter: a search of its own.
    expect((await search({ filter: { field: 'x', exists: false } })).known).toBe(0);
    await send('DELETE', '/v1/collections/v');
    expect((await store.list('collections/v/duplicates/')).objects).toEqual([]);
  });

  it('pages through many groups, and keeps formulas out of spreadsheets', async () => {
    const { send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 3 });
    // 1200 directions well apart, each twice.
    const items = Array.from({ length: 1200 }, (_, n) => {
      const angle = (n / 1200) * Math.PI;
      const vector = [Math.cos(angle), Math.sin(angle), n % 2];
      return [
        { id: `=${n}a`, vector },
        { id: `=${n}b`, vector },
      ];
    }).flat();
    await send('POST', '/v1/collections/v/items', { items });
    const started = await send('POST', '/v1/collections/v/duplicates', { minSimilarity: 0.9999999 });
    expect(await started.json()).toMatchObject({ status: 'done', groupCount: 1200 });
    const location = started.headers.get('location');
    const keeps: string[] = [];
    let cursor = '';
    do {
      const page = (await (await send('GET', `${location}?limit=333${cursor}`)).json()) as DuplicatesJob;
      keeps.push(...(page.groups ?? []).map(({ keep }) => keep));
      cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`;
    } while (cursor !== '');
    expect(new Set(keeps).size).toBe(1200);
    const csv = await (await send('GET', `${location}?limit=1`, undefined, { accept: 'text/csv' })).text();
    expect(csv.split('\r\n')[1]).toMatch(/^'=/);
  });

  it('links each page of CSV to the next with the settings of the request', async () => {
    const { send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const items = Array.from({ length: 7 }, (_, n) =>
      ['a', 'b'].map((copy) => ({ id: `${n}${copy}`, vector: [Math.cos(n / 5), Math.sin(n / 5)] })),
    ).flat();
    await send('POST', '/v1/collections/v/items', { items });
    const started = await send('POST', '/v1/collections/v/duplicates', { minSimilarity: 0.99999 });
    const location = started.headers.get('location') as string;
    const groups: number[] = [];
    const keeps = new Set<string>();
    for (let url: string | undefined = `${location}?limit=3&include=metadata`; url !== undefined; ) {
      const page = await send('GET', url, undefined, { accept: 'text/csv' });
      const rows = (await page.text()).trimEnd().split('\r\n').slice(1);
      groups.push(rows.length / 2);
      for (const row of rows) keeps.add(row.split(',')[0] as string);
      const next = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      if (next === undefined) break;
      expect(new URLSearchParams(next).get('include')).toBe('metadata');
      const { pathname, search } = new URL(next, `http://localhost${url}`);
      url = pathname + search;
    }
    expect(groups).toEqual([3, 3, 1]);
    expect(keeps.size).toBe(7);
  });

  it('wants a threshold where none is calibrated, and knows its jobs', async () => {
    const { send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    await send('PUT', '/v1/collections/l2', { dimension: 2, metric: 'l2' });
    await send('PUT', '/v1/collections/photos');
    const codeOf = async (path: string, body: unknown) =>
      ((await (await send('POST', `/v1/collections/${path}/duplicates`, body)).json()) as { code: string })
        .code;
    expect(await codeOf('v', {})).toBe('no-threshold');
    expect(await codeOf('photos', { maxFalsePositiveRate: 0.001 })).toBe('no-threshold');
    expect(await codeOf('v', { minSimilarity: 0 })).toBe('invalid-request');
    const failed = await send('POST', '/v1/collections/l2/duplicates', { minSimilarity: 0.5 });
    expect(await failed.json()).toMatchObject({ status: 'failed', error: { code: 'metric-not-supported' } });
    const unknown = await send('GET', `/v1/collections/v/duplicates/${crypto.randomUUID()}`);
    expect(unknown.status).toBe(404);
  });

  it('remembers of two pictures that they are different, also under other names', async () => {
    const { send } = openTestApp({ inlineJobs: true });
    await send('PUT', '/v1/collections/v', { dimension: 2 });
    const picture = (letter: string) => ({ picture: { sha256: letter.repeat(64) } });
    const items = [
      { id: 'a', vector: [1, 0], metadata: picture('a') },
      { id: 'b', vector: [1, 0.001], metadata: picture('b') },
      { id: 'c', vector: [1, 0.002] },
    ];
    await send('POST', '/v1/collections/v/items', { items });
    const groups = async () => {
      const started = await send('POST', '/v1/collections/v/duplicates', { minSimilarity: 0.99 });
      const job = (await (
        await send('GET', started.headers.get('location') as string)
      ).json()) as DuplicatesJob;
      return job.groups?.map((group) => group.items.map(({ id }) => id).sort());
    };
    expect(await groups()).toEqual([['a', 'b', 'c']]);
    const marked = await send('POST', '/v1/collections/v/different', {
      pairs: [
        ['a', 'b'],
        ['c', 'b'],
      ],
    });
    expect(await marked.json()).toEqual({ pairs: 2 });
    expect(await groups()).toEqual([['a', 'c']]);
    await send('DELETE', '/v1/collections/v/items/b');
    await send('POST', '/v1/collections/v/items', { items: [{ ...items[1], id: 'renamed' }] });
    await send('POST', '/v1/collections/v/different', { pairs: [['c', 'renamed']] });
    expect(await groups()).toEqual([['a', 'c']]);
    await send('POST', '/v1/collections/v/different', {
      pairs: [
        ['a', 'renamed'],
        ['renamed', 'c'],
      ],
      different: false,
    });
    expect(await groups()).toEqual([['a', 'c', 'renamed']]);
    expect((await send('POST', '/v1/collections/v/different', { pairs: [['a', 'a']] })).status).toBe(400);
    expect((await send('POST', '/v1/collections/v/different', { pairs: [['a', 'nobody']] })).status).toBe(
      404,
    );
  });

  it('ends as what it came to, however late its signs of life are written', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const store = new MemoryStore();
    const engine = openEngine({ store, commitWindow: 0 });
    await engine.createCollection('v', { dimension: 2, metric: 'cosine' });
    const searching = Promise.withResolvers<void>();
    const { get, put } = { get: store.get.bind(store), put: store.put.bind(store) };
    store.get = (async (key: string) => {
      if (key.includes('/pairs-')) await searching.promise;
      return get(key);
    }) as typeof store.get;
    const jobs = new DuplicateJobs(store, () => {});
    const { job, done } = await jobs.start(await engine.collection('v'), { minSimilarity: 0.9 });
    const late: (() => void)[] = [];
    store.put = async (key, body) => {
      if (Buffer.from(body as Uint8Array).includes('"running"'))
        await new Promise<void>((resolve) => late.push(resolve));
      return put(key, body);
    };
    await vi.advanceTimersByTimeAsync(25_000);
    searching.resolve();
    late.pop()?.();
    await done;
    for (const write of late) write();
    await setImmediate();
    expect(await jobs.read('v', job.job, { limit: 1 })).toMatchObject({ status: 'done' });
  });

  it('says of a job whose server has gone that it is lost', async () => {
    const { store } = openTestApp();
    const jobs = new DuplicateJobs(store, () => {});
    const job = crypto.randomUUID();
    const state = { job, status: 'running', minSimilarity: 0.9, progress: { done: 1, total: 2 } };
    await store.put(`collections/v/duplicates/${job}/state.json`, Buffer.from(JSON.stringify(state)));
    expect(await jobs.read('v', job, { limit: 1 })).toMatchObject({ status: 'running' });
    const get = store.get.bind(store);
    store.get = (async (key: string) => {
      const found = await get(key);
      return found && { ...found, lastModified: new Date(Date.now() - 60_000) };
    }) as typeof store.get;
    expect(await jobs.read('v', job, { limit: 1 })).toMatchObject({
      status: 'failed',
      error: { code: 'job-lost' },
    });
  });
});
