import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UpsertAnswer } from './schemas.ts';
import { openTestApp, photograph } from './testing/test-app.ts';

async function openVectors() {
  const test = openTestApp();
  await test.send('PUT', '/v1/collections/v', { dimension: 2, metric: 'l2' });
  await test.send('POST', '/v1/collections/v/items', {
    items: [1, 2, 3].map((n) => ({ id: `n${n}`, vector: [n, 0], metadata: { n } })),
  });
  return test;
}

/** Objects that look like what the API takes, with any value in any place. */
const names = [
  'id',
  'ids',
  'vector',
  'image',
  'metadata',
  'filter',
  'field',
  'equals',
  'and',
  'not',
  'topK',
  'items',
  'queries',
  'a',
  'b',
];
const body = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom('n1', 'v', [1, 2], 0, 1, 1e308, '__proto__', ''),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('any JSON', () => {
  const routes = ['items', 'query', 'get', 'delete', 'count', 'patch', 'recall', 'duplicates'].map(
    (name) => `/v1/collections/v/${name}`,
  );
  it.each([...routes, '/v1/compare'])('to %s is answered, never failed at', async (path) => {
    const { send, failures } = await openVectors();
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const response = await send('POST', path, value);
        expect(response.status).toBeLessThan(500);
        if (response.status >= 400)
          expect(response.headers.get('content-type')).toBe('application/problem+json');
        await response.arrayBuffer();
      }),
      { numRuns: 60 },
    );
    expect(failures).toEqual([]);
  });
});

describe('items', () => {
  it('come back as they were stored, whatever their ids and metadata', async () => {
    const { send } = await openVectors();
    const id = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 60 })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are refused
      .filter((text) => text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text));
    const item = fc.record({
      id,
      vector: fc.tuple(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
      ),
      metadata: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(item, { minLength: 1, maxLength: 8, selector: (one) => one.id }),
        async (raw) => {
          // As JSON has it: no -0.
          const items = JSON.parse(JSON.stringify(raw)) as typeof raw;
          const answer = (await (
            await send('POST', '/v1/collections/v/items', { items })
          ).json()) as UpsertAnswer;
          expect(answer.results).toEqual(items.map((one) => ({ id: one.id, status: 'stored' })));
          const ids = items.map((one) => one.id);
          const got = (await (
            await send('POST', '/v1/collections/v/get', { ids, include: ['metadata', 'vector'] })
          ).json()) as {
            items: unknown[];
          };
          expect(got.items).toEqual(items.map((one) => ({ ...one, version: answer.version })));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are listed once each, in the order of their bytes, whatever the size of a page', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l2' });
    const ids = ['b', 'a', 'é', 'z', 'Z', '日本', '\u{1f600}', '\uffee', '0', '10', '2', 'a/b', 'a b'];
    await send('POST', '/v1/collections/v/items', { items: ids.map((id) => ({ id, vector: [1] })) });
    const sorted = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const limit of [1, 2, 5, 13, 100]) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const response = await send('GET', `/v1/collections/v/items?limit=${limit}${cursor}`);
        const page = (await response.json()) as { items: { id: string }[]; cursor?: string };
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items.map((one) => one.id));
        cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`;
      } while (cursor !== '');
      expect(seen).toEqual(sorted);
    }
  });

  it('of any characters and length end a page', async () => {
    const { send } = openTestApp({
      engine: openEngine({ store: new MemoryStore(), commitWindow: 0, rangePageSize: 1 }),
    });
    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l2' });
    const ids = ['"', '\\', '\u{1f600}', '\u2028', 'é'].map((one) =>
      one.repeat(Math.floor(512 / Buffer.byteLength(one))),
    );
    await send('POST', '/v1/collections/v/items', { items: ids.map((id) => ({ id, vector: [1 / 3] })) });
    interface Page {
      items?: { id: string }[];
      matches?: { id: string }[];
      cursor?: string;
    }
    const list = (cursor?: string) =>
      send('GET', `/v1/collections/v/items?limit=1${cursor ? `&cursor=${cursor}` : ''}`);
    const rangeSearch = (cursor?: string) =>
      send('POST', '/v1/collections/v/query', { vector: [0.1], minSimilarity: 0.1, cursor });
    for (const read of [list, rangeSearch]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const response = await read(cursor);
        expect(response.status).toBe(200);
        const page = (await response.json()) as Page;
        seen.push(...(page.items ?? page.matches ?? []).map(({ id }) => id));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen.sort()).toEqual([...ids].sort());
    }
  });
});

it('the OpenAPI document says which members exclude each other, as the server does', async () => {
  const { send } = await openVectors();
  const document = (await (await send('GET', '/v1/openapi.json')).json()) as {
    components: { schemas: Record<string, { oneOf?: { required: string[] }[] }> };
  };
  const alternatives = (name: string) =>
    (document.components.schemas[name]?.oneOf ?? []).map(({ required }) => required[0] as string);
  expect(alternatives('ItemInput')).toEqual(['vector', 'image', 'url']);
  const values: Record<string, unknown> = {
    vector: [1, 0],
    image: 'AAAA',
    url: 's3://bucket/key',
    id: 'n1',
    ids: ['nobody'],
    filter: { field: 'n', equals: -1 },
  };
  for (const [schema, path] of [
    ['Query', '/v1/collections/v/query'],
    ['Delete', '/v1/collections/v/delete'],
  ] as const) {
    const names = alternatives(schema);
    expect(names.length).toBeGreaterThan(1);
    for (const chosen of [
      [],
      ...names.flatMap((a, at) => names.slice(at).map((b) => [...new Set([a, b])])),
    ]) {
      const answer = await send('POST', path, Object.fromEntries(chosen.map((name) => [name, values[name]])));
      const { code } = (await answer.json()) as { code?: string };
      expect(code === 'invalid-request', `${schema} with ${chosen.join(' and ')}: ${code}`).toBe(
        chosen.length !== 1,
      );
    }
  }
});

it('a list as NDJSON ends at its limit', async () => {
  const { send } = await openVectors();
  for (const [limit, expected] of [
    [1, ['n1']],
    [2, ['n1', 'n2']],
    [3, ['n1', 'n2', 'n3']],
    [4, ['n1', 'n2', 'n3']],
  ] as const) {
    const accept = { accept: 'application/x-ndjson' };
    const answer = await send('GET', `/v1/collections/v/items?limit=${limit}`, undefined, accept);
    const lines = (await answer.text()).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(expected);
  }
});

describe('what a route does not take', () => {
  const refusalOf = async (answer: Response) => [
    answer.status,
    ((await answer.json()) as { code?: string }).code,
  ];

  it.each(['query', 'import', 'items', 'delete'])('is a body of another type (%s)', async (route) => {
    const { app } = await openVectors();
    const body = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' };
    const answer = await app.request(`http://localhost/v1/collections/v/${route}`, body);
    expect(await refusalOf(answer)).toEqual([415, 'unsupported-media-type']);
  });

  it('is settings in two places, of which one would be ignored', async () => {
    const { send } = await openVectors();
    const answer = await send('POST', '/v1/collections/v/query?topK=1', { id: 'n1' });
    expect(await refusalOf(answer)).toEqual([400, 'invalid-request']);
  });

  it('is a form without two pictures, or none at all', async () => {
    const { app } = openTestApp();
    const compare = (body: FormData | string, type?: string) =>
      app.request('http://localhost/v1/compare', {
        method: 'POST',
        body,
        ...(type !== undefined && { headers: { 'content-type': type } }),
      });
    const form = new FormData();
    form.set('a', new Blob(['x']));
    form.set('b', 'a text');
    expect(await refusalOf(await compare(form))).toEqual([400, 'invalid-request']);
    const broken = await compare('no form', 'multipart/form-data; boundary=x');
    expect(await refusalOf(broken)).toEqual([400, 'invalid-request']);
    expect(await refusalOf(await compare('x', 'text/plain'))).toEqual([415, 'unsupported-media-type']);
  });

  it('is a picture in JSON over the limit or not in base64: the error of its item or query alone', async () => {
    const { send } = openTestApp({ limits: { pictureBytes: 300_000 } });
    await send('PUT', '/v1/collections/p');
    const image = Buffer.from(photograph('cat.jpg')).toString('base64');
    const images = [image, Buffer.alloc(300_003).toString('base64'), `data:image/jpeg;base64,${image}`];
    const items = images.map((one, n) => ({ id: `${n}`, image: one }));
    const stored = (await (await send('POST', '/v1/collections/p/items', { items })).json()) as UpsertAnswer;
    expect(stored.results).toMatchObject([
      { status: 'stored' },
      { error: { code: 'picture-too-large' } },
      { error: { code: 'invalid-request' } },
    ]);
    const queries = images.map((one) => ({ image: one }));
    expect(await (await send('POST', '/v1/collections/p/query', { queries })).json()).toMatchObject({
      results: [
        { matches: [{ id: '0' }] },
        { error: { code: 'picture-too-large' } },
        { error: { code: 'invalid-request' } },
      ],
    });
    const alone = await send('POST', '/v1/collections/p/query', { image: images[2] });
    expect(await refusalOf(alone)).toEqual([400, 'invalid-request']);
  });
});
