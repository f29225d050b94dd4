import { describe, expect, it } from 'vitest';
import { DuplicateJobs } from './duplicate-jobs.ts';
import type { DuplicatesJob } from './schemas.ts';
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
      'group,id,role,kind,similarity,reason',
      expect.stringContaining('one.jpg,one.jpg,keep,exact,1,'),
      'one.jpg,two.jpg,duplicate,exact,1,',
    ]);
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
