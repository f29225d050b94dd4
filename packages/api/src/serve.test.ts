import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AppOptions } from './app.ts';
import type { RunningServer } from './serve.ts';
import { serve } from './serve.ts';
import { openTestApp, photograph } from './testing/test-app.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<AppOptions> = {}): Promise<RunningServer> {
  const server = await serve(openTestApp(options).app, { port: 0 });
  cleanups.push(() => server.close(0));
  return server;
}

/** Sends exactly these bytes: `fetch` would tidy the path up. */
function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (part) => {
      answer += part;
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

describe('serve', () => {
  it('listens on loopback only while there are no keys', async () => {
    const { app } = openTestApp();
    await expect(serve(app, { host: '0.0.0.0', port: 0 })).rejects.toMatchObject({
      code: 'address-not-allowed',
    });
    const server = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    const rebound = await rawRequest(
      server.port,
      'GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(rebound).toContain('host-not-allowed');
  });

  it('says that the port is taken', async () => {
    const server = await start();
    await expect(serve(openTestApp().app, { port: server.port })).rejects.toMatchObject({
      code: 'address-unavailable',
      message: expect.stringContaining(String(server.port)),
    });
  });

  it('answers 413 while a large body is still being sent', async () => {
    const server = await start({ limits: { pictureBytes: 1000 } });
    await fetch(`${server.url}/v1/collections/photos`, { method: 'PUT' });
    const response = await fetch(`${server.url}/v1/collections/photos/items/x`, {
      method: 'PUT',
      headers: { 'content-type': 'image/png' },
      body: new Uint8Array(20_000_000),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'body-too-large', limit: 1000 });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it('keeps ids with slashes, percent signs and other scripts apart', async () => {
    const server = await start();
    await fetch(`${server.url}/v1/collections/v`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"dimension": 1, "metric": "l2"}',
    });
    const ids = ['a/b', 'a%2Fb', '50 %', 'ü/日本', 'a?b#c', '..a', 'a b+c', '"quoted\\"'];
    for (const [index, id] of ids.entries()) {
      const stored = await fetch(`${server.url}/v1/collections/v/items/${encodeURIComponent(id)}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ vector: [index] }),
      });
      expect(await stored.json()).toMatchObject({ id });
    }
    for (const [index, id] of ids.entries()) {
      const got = await fetch(
        `${server.url}/v1/collections/v/items/${encodeURIComponent(id)}?include=vector`,
      );
      expect(await got.json()).toMatchObject({ id, vector: [index] });
    }
  });
});

describe('the web page', () => {
  it('is served from its folder, and nothing beside it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lookalike-web-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'secret.txt'), 'secret');
    const root = join(folder, 'dist');
    mkdirSync(join(root, 'assets'), { recursive: true });
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(root, 'assets', 'main-abc123.js'), 'export {};');
    const server = await start({ webRoot: root });

    const page = await fetch(`${server.url}/`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await page.text()).toContain('page');
    const script = await fetch(`${server.url}/assets/main-abc123.js`);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.headers.get('cache-control')).toContain('immutable');
    const etag = page.headers.get('etag') as string;
    expect((await fetch(`${server.url}/`, { headers: { 'if-none-match': etag } })).status).toBe(304);

    for (const path of [
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/..%5c..%5csecret.txt',
    ]) {
      const answer = await rawRequest(
        server.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 404/);
      expect(answer).not.toContain('\r\n\r\nsecret');
    }
  });
});

describe('the documentation', () => {
  it('describes every route and refers to nothing that is missing', async () => {
    const { app, send } = openTestApp();
    const text = await (await send('GET', '/v1/openapi.json')).text();
    const document = JSON.parse(text) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(document.openapi).toBe('3.1.0');
    const served = app.routes
      .filter(({ method, path }) => method !== 'ALL' && !['/docs', '/v1/openapi.json'].includes(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual([...new Set(served)].sort());
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name as string);
    }
  });

  it('tells the headers that requests may have and answers do have', async () => {
    const { app, send } = openTestApp({ inlineJobs: true });
    type Told = Record<string, { required?: boolean; schema: { pattern?: string } }>;
    const { paths } = (await (await send('GET', '/v1/openapi.json')).json()) as {
      paths: Record<
        string,
        Record<
          string,
          { parameters?: { in: string; name: string }[]; responses: Record<string, { headers?: Told }> }
        >
      >;
    };
    const operation = (method: string, path: string) =>
      paths[`/v1/collections/{collection}${path}`]?.[method];
    const asked = (method: string, path: string) =>
      (operation(method, path)?.parameters ?? [])
        .filter((parameter) => parameter.in === 'header')
        .map(({ name }) => name);
    expect(asked('put', '/items/{id}')).toEqual(['If-Match', 'If-None-Match']);
    expect(asked('patch', '/items/{id}')).toEqual(['If-Match']);
    expect(asked('get', '/items/{id}')).toEqual(['If-None-Match']);
    expect(asked('get', '/items/{id}/thumbnail')).toEqual(['If-None-Match']);

    await send('PUT', '/v1/collections/c', {});
    await app.request('http://localhost/v1/collections/c/items/x', {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg' },
      body: photograph('cat.jpg'),
    });
    const item = '/v1/collections/c/items/x';
    const etagOf = async (path: string) => (await send('GET', path)).headers.get('etag') as string;
    const again = async (path: string) =>
      send('GET', path, undefined, { 'if-none-match': await etagOf(path) });
    for (const [method, path, status, names, answer] of [
      ['get', '/items/{id}', '200', ['ETag'], await send('GET', item)],
      ['get', '/items/{id}', '304', ['ETag'], await again(item)],
      ['patch', '/items/{id}', '200', ['ETag'], await send('PATCH', item, { metadata: { a: 1 } })],
      ['get', '/items/{id}/thumbnail', '200', ['ETag'], await send('GET', `${item}/thumbnail`)],
      ['get', '/items/{id}/thumbnail', '304', ['ETag'], await again(`${item}/thumbnail`)],
      ['post', '/duplicates', '202', ['Location'], await send('POST', '/v1/collections/c/duplicates', {})],
    ] as const) {
      expect(answer.status).toBe(Number(status));
      const told = operation(method, path)?.responses[status]?.headers ?? {};
      expect(Object.keys(told)).toEqual(names);
      for (const [name, { required, schema }] of Object.entries(told)) {
        expect(required).toBe(true);
        expect(answer.headers.get(name)).toMatch(new RegExp(schema.pattern ?? '^/v1/'));
      }
    }
    const problems = operation('get', '/items/{id}')?.responses;
    for (const status of ['4XX', '5XX'])
      expect(Object.keys(problems?.[status]?.headers ?? {})).toEqual(['Retry-After']);
  });

  it('is a page that needs nothing from elsewhere and allows only its own script', async () => {
    const { send } = openTestApp();
    const response = await send('GET', '/docs');
    const html = await response.text();
    expect(html).toContain('/v1/collections/{collection}/query');
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'none'.*script-src 'sha256-/);
  });
});
