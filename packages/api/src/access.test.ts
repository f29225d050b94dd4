import { describe, expect, it } from 'vitest';
import { createApiKey, hashApiKey, parseApiKeys } from './api-keys.ts';
import type { CollectionList } from './schemas.ts';
import { openTestApp } from './testing/test-app.ts';

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe('without keys', () => {
  it.each(['localhost', '127.0.0.1:8787', '[::1]:8787', 'app.localhost'])('answers to %s', async (host) => {
    const { app } = openTestApp();
    expect((await app.request(`http://${host}/v1/collections`)).status).toBe(200);
  });

  it.each(['example.com', '192.168.1.10', '127.0.0.1.example.com', '0.0.0.0', 'localhost.example.com'])(
    'refuses the host %s, also for public routes',
    async (host) => {
      const { app } = openTestApp();
      for (const path of ['/v1/collections', '/healthz', '/']) {
        const response = await app.request(`http://${host}${path}`);
        expect(response.status).toBe(403);
        expect(await codeOf(response)).toBe('host-not-allowed');
      }
    },
  );

  it('refuses writes of pages of other origins, and takes those of its own', async () => {
    const { send } = openTestApp();
    const put = (origin: string) => send('PUT', '/v1/collections/v', { dimension: 2 }, { origin });
    expect(await codeOf(await put('http://evil.example'))).toBe('origin-not-allowed');
    expect(await codeOf(await put('null'))).toBe('origin-not-allowed');
    expect(await codeOf(await put('http://localhost:3000'))).toBe('origin-not-allowed');
    expect((await put('http://localhost')).status).toBe(201);
  });
});

describe('with keys', () => {
  const reader = createApiKey('reader', 'read');
  const writer = createApiKey('writer', 'write', ['a']);
  const admin = createApiKey('admin', 'admin');
  const keys = [reader.stored, writer.stored, admin.stored];
  const as = (key: string) => ({ authorization: `Bearer ${key}` });

  it('lets each key do what its scope allows, in its collections', async () => {
    const { send } = openTestApp({ access: { kind: 'keys', keys } });
    const items = { items: [{ id: 'x', vector: [1, 2] }] };
    for (const name of ['a', 'b']) {
      expect((await send('PUT', `/v1/collections/${name}`, { dimension: 2 }, as(admin.key))).status).toBe(
        201,
      );
    }
    expect((await send('GET', '/v1/collections/a', undefined, as(reader.key))).status).toBe(200);
    expect(await codeOf(await send('POST', '/v1/collections/a/items', items, as(reader.key)))).toBe(
      'forbidden',
    );
    expect((await send('POST', '/v1/collections/a/items', items, as(writer.key))).status).toBe(200);
    expect((await send('GET', '/v1/collections/a', undefined, as(writer.key))).status).toBe(200);
    expect(await codeOf(await send('POST', '/v1/collections/b/items', items, as(writer.key)))).toBe(
      'forbidden',
    );
    expect(await codeOf(await send('DELETE', '/v1/collections/a', undefined, as(writer.key)))).toBe(
      'forbidden',
    );
    const listed = await (await send('GET', '/v1/collections', undefined, as(writer.key))).json();
    expect(listed).toMatchObject({ collections: [{ name: 'a' }] });
  });

  it('asks of every route for a key that may do what the route does, in its collection', async () => {
    const { app, send } = openTestApp({ access: { kind: 'keys', keys } });
    const stranger = createApiKey('stranger', 'admin', ['b']);
    const bound = openTestApp({ access: { kind: 'keys', keys: [stranger.stored] } });
    const changing = ['upsertItems', 'putItem', 'deleteItem', 'patchItem', 'patchItems', 'deleteItems'];
    const leastScopes: Record<string, string> = {
      health: 'public',
      limits: 'public',
      createCollection: 'admin',
      dropCollection: 'admin',
      ...Object.fromEntries([...changing, 'importItems', 'markDifferent'].map((name) => [name, 'write'])),
    };
    const { paths } = (await (await app.request('http://localhost/v1/openapi.json')).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const scopes = ['public', 'read', 'write', 'admin'];
    const given = [{}, as(reader.key), as(writer.key), as(admin.key)];
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { operationId }] of Object.entries(operations)) {
        const address = path.replace('{collection}', 'a').replaceAll(/\{\w+\}/g, 'x');
        // Of the wrong type: that it is refused as such says that the key was not.
        const ask = async (to: typeof send, headers: Record<string, string>) =>
          (await to(method.toUpperCase(), address, undefined, { ...headers, 'content-type': 'x/y' })).status;
        const answers = await Promise.all(given.map(async (headers) => await ask(send, headers)));
        const least = scopes.indexOf(leastScopes[operationId] ?? 'read');
        expect(
          answers.map((status) => status !== 401 && status !== 403),
          operationId,
        ).toEqual(scopes.map((_, scope) => scope >= least));
        if (path.includes('{collection}'))
          expect(await ask(bound.send, as(stranger.key)), operationId).toBe(403);
      }
  });

  it('lists what a key is for in whole pages, whose cursors name nothing else', async () => {
    const some = createApiKey('some', 'read', ['b', 'd', 'f', 'nowhere']);
    const { send } = openTestApp({ access: { kind: 'keys', keys: [...keys, some.stored] } });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      await send('PUT', `/v1/collections/${name}`, { dimension: 2 }, as(admin.key));
    const pagesFor = async (key: string, limit: number) => {
      const pages: string[][] = [];
      const cursors: string[] = [];
      for (let next = ''; pages.length < 9; next = `&cursor=${cursors.at(-1)}`) {
        const path = `/v1/collections?limit=${limit}${next}`;
        const { collections, cursor } = (await (
          await send('GET', path, undefined, as(key))
        ).json()) as CollectionList;
        pages.push(collections.map(({ name }) => name));
        if (cursor === undefined) break;
        cursors.push(cursor);
      }
      return { pages, told: cursors.map((cursor) => Buffer.from(cursor, 'base64url').toString()) };
    };
    const { pages, told } = await pagesFor(some.key, 2);
    expect(pages).toEqual([['b', 'd'], ['f']]);
    expect(told.join()).not.toMatch(/"[aceg]"/);
    expect((await pagesFor(some.key, 3)).pages).toEqual([['b', 'd', 'f']]);
    expect((await pagesFor(reader.key, 4)).pages).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f', 'g'],
    ]);
  });

  it('refuses what has no key or a wrong one, before anything is looked at', async () => {
    const { send } = openTestApp({ access: { kind: 'keys', keys } });
    for (const headers of [
      {},
      as('wrong'),
      as(reader.stored.hash),
      { authorization: `Basic ${reader.key}` },
    ]) {
      const response = await send('PUT', '/v1/collections/not%20valid', { nonsense: true }, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      expect(await codeOf(response)).toBe('unauthorized');
    }
    expect((await send('GET', '/healthz')).status).toBe(200);
  });

  it('answers to any host', async () => {
    const { app } = openTestApp({ access: { kind: 'keys', keys } });
    const response = await app.request('https://pictures.example/v1/collections', {
      headers: as(reader.key),
    });
    expect(response.status).toBe(200);
  });

  it('keeps the hash of a key, never the key', () => {
    expect(JSON.stringify(reader.stored)).not.toContain(reader.key);
    expect(hashApiKey(reader.key)).toBe(reader.stored.hash);
    expect(parseApiKeys(JSON.stringify({ keys }))).toEqual(keys);
    expect(() => parseApiKeys('{"keys": [{"name": "x", "hash": "short", "scope": "read"}]}')).toThrow(/hash/);
    expect(() => parseApiKeys('{"keys": [{"name": "x", "key": "plain", "scope": "read"}]}')).toThrow();
    expect(() => parseApiKeys('keys')).toThrow(expect.objectContaining({ code: 'invalid-key-file' }));
  });
});

describe('CORS', () => {
  it('is off by default', async () => {
    const { send } = openTestApp();
    const response = await send('GET', '/v1/collections', undefined, { origin: 'https://page.example' });
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('lets configured origins read and write, errors included', async () => {
    const { app, send } = openTestApp({ corsOrigins: ['https://page.example'] });
    const origin = { origin: 'https://page.example' };
    const preflight = await app.request('http://localhost/v1/collections/v', {
      method: 'OPTIONS',
      headers: {
        ...origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
    const put = await send('PUT', '/v1/collections/v', { dimension: 2 }, origin);
    expect(put.status).toBe(201);
    expect(put.headers.get('access-control-allow-origin')).toBe('https://page.example');
    const error = await send('GET', '/v1/collections/nowhere', undefined, origin);
    expect(error.headers.get('access-control-allow-origin')).toBe('https://page.example');
    const other = await send('GET', '/v1/collections', undefined, { origin: 'https://other.example' });
    expect(other.headers.has('access-control-allow-origin')).toBe(false);
  });
});
