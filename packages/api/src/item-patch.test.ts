import { type Collection, type Item as EngineItem, type JsonValue, openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatch, patchItems } from './item-patch.ts';
import type { Item, PatchAnswer } from './schemas.ts';
import { openTestApp, photograph } from './testing/test-app.ts';

describe('mergePatch', () => {
  // RFC 7396, appendix A.
  it.each<[JsonValue, JsonValue, JsonValue]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched with %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('changes nothing that it was given, and twice is as once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const before = JSON.stringify([target, patch]);
        const once = mergePatch(target as JsonValue, patch as JsonValue);
        expect(JSON.stringify([target, patch])).toBe(before);
        expect(mergePatch(once, patch as JsonValue)).toEqual(once);
      }),
    );
  });

  it('takes __proto__ for a name like any other', () => {
    const patch = JSON.parse('{"__proto__": {"admin": true}}') as JsonValue;
    const merged = mergePatch({ a: 1 }, patch) as Record<string, unknown>;
    expect(merged.admin).toBeUndefined();
    expect(Object.keys(merged)).toEqual(['a', '__proto__']);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe('patches', () => {
  it('leave what the server says of a picture as it is, and vectors their own', async () => {
    const { app, send } = openTestApp();
    await send('PUT', '/v1/collections/c', {});
    await app.request('http://localhost/v1/collections/c/items/x', {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg' },
      body: photograph('cat.jpg'),
    });
    const metadataOf = async (answer: Response) => ((await answer.json()) as Item).metadata;
    const before = await metadataOf(await send('GET', '/v1/collections/c/items/x'));
    expect(before.picture).toMatchObject({ format: 'jpeg' });
    for (const picture of [null, { sha256: 'f'.repeat(64) }, 'mine']) {
      const patch = { picture, album: 'winter' };
      const one = await send('PATCH', '/v1/collections/c/items/x', { metadata: patch });
      expect(await metadataOf(one)).toEqual({ ...before, album: 'winter' });
      await send('POST', '/v1/collections/c/patch', { items: [{ id: 'x', metadata: patch }] });
      const after = await metadataOf(await send('GET', '/v1/collections/c/items/x'));
      expect(after).toEqual({ ...before, album: 'winter' });
    }

    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l2' });
    await send('POST', '/v1/collections/v/items', { items: [{ id: 'x', vector: [7] }] });
    const own = await send('PATCH', '/v1/collections/v/items/x', { metadata: { picture: 'mine' } });
    expect(await metadataOf(own)).toEqual({ picture: 'mine' });
  });

  it('of many writers to one item all arrive', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l2' });
    await send('POST', '/v1/collections/v/items', { items: [{ id: 'x', vector: [7] }] });
    const names = Array.from({ length: 8 }, (_, n) => `n${n}`);
    const answers = await Promise.all(
      names.map((name) => send('PATCH', '/v1/collections/v/items/x', { metadata: { [name]: true } })),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    const item = (await (await send('GET', '/v1/collections/v/items/x?include=metadata,vector')).json()) as {
      metadata: Record<string, unknown>;
    };
    expect(Object.keys(item.metadata).sort()).toEqual(names);
    expect(item).toMatchObject({ vector: [7] });
  });

  it('in one batch have each their own result', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l2' });
    const stored = await send('POST', '/v1/collections/v/items', {
      items: ['a', 'b', 'c'].map((id) => ({ id, vector: [1], metadata: { id } })),
    });
    const { version } = (await stored.json()) as { version: number };
    const response = await send('POST', '/v1/collections/v/patch', {
      items: [
        { id: 'a', metadata: { new: 1 }, ifVersion: version },
        { id: 'b', metadata: { new: 1 }, ifVersion: version + 5 },
        { id: 'nobody', metadata: {} },
        { id: 'c', metadata: { big: 'x'.repeat(70_000) } },
      ],
    });
    const answer = (await response.json()) as PatchAnswer;
    expect(answer.version).toBeGreaterThan(version);
    expect(answer.results).toMatchObject([
      { id: 'a', status: 'stored', metadata: { id: 'a', new: 1 } },
      { id: 'b', status: 'conflict', version },
      { id: 'nobody', status: 'missing' },
      { id: 'c', status: 'invalid', error: { code: 'invalid-metadata' } },
    ]);
    const twice = {
      items: [
        { id: 'a', metadata: {} },
        { id: 'a', metadata: {} },
      ],
    };
    expect((await send('POST', '/v1/collections/v/patch', twice)).status).toBe(400);
  });
});

it('gives up on an item that others are always faster to change, and says so', async () => {
  const engine = openEngine({ store: new MemoryStore(), commitWindow: 0 });
  await engine.createCollection('v', { dimension: 1, metric: 'l2' });
  const collection = await engine.collection('v');
  const item = { id: 'x', vector: Float32Array.of(1) };
  await collection.upsert([{ ...item, metadata: { n: 0 } }]);
  const hurried = Object.create(collection, {
    info: { value: collection.info },
    get: { value: collection.get.bind(collection) },
    upsert: {
      value: async (items: EngineItem[]) => {
        await collection.upsert([{ ...item, metadata: { n: 1 } }]);
        return collection.upsert(items);
      },
    },
  }) as Collection;
  await expect(patchItems(hurried, [{ id: 'x', metadata: { a: 1 } }])).rejects.toMatchObject({
    code: 'overloaded',
  });
  expect(await collection.get(['x'])).toMatchObject([{ metadata: { n: 1 } }]);
});

describe('conditions', () => {
  it('come as If-Match and If-None-Match', async () => {
    const { send } = openTestApp();
    await send('PUT', '/v1/collections/v', { dimension: 1, metric: 'l2' });
    const put = (headers: Record<string, string>) =>
      send('PUT', '/v1/collections/v/items/x', { vector: [1] }, headers);
    expect((await put({ 'if-match': '"3"' })).status).toBe(412);
    const created = (await (await put({ 'if-none-match': '*' })).json()) as { version: number };
    expect((await put({ 'if-none-match': '*' })).status).toBe(412);
    const etag = (await send('GET', '/v1/collections/v/items/x')).headers.get('etag') as string;
    expect(etag).toBe(`"${created.version}"`);
    expect((await put({ 'if-match': etag })).status).toBe(200);
    expect((await put({ 'if-match': etag })).status).toBe(412);
    for (const bad of ['*', 'W/"3"', '"0"', '"a"', '"1", "2"'])
      expect((await put({ 'if-match': bad })).status).toBe(400);
    expect((await put({ 'if-none-match': '"1"' })).status).toBe(400);
    const guarded = await send('DELETE', '/v1/collections/v/items/x', undefined, { 'if-match': etag });
    expect(guarded.status).toBe(400);
  });
});
