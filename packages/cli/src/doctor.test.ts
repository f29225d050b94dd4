import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Access, createApiKey, type RunningServer, serve } from '@lookalike/api';
import { openEngine } from '@lookalike/index';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApp, photograph } from '../../api/src/testing/test-app.ts';
import type { Finding } from './doctor/examination.ts';
import { runCommand, temporaryFolder } from './test-command.ts';

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

let folder: Folder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function doctor(target: string, ...args: string[]) {
  const ended = await runCommand(['doctor', target, '--json', ...args], { env: folder.env });
  const { status, checks } = JSON.parse(ended.stdout) as { status: string; checks: Finding[] };
  return {
    exit: ended.status,
    status,
    /** `ok`, or the status with the detail. */
    of: (name: string) => checks.find(({ check }) => check === name),
    checks: Object.fromEntries(checks.map(({ check, status }) => [check, status])),
  };
}

/** A server in this process; what it keeps is in memory. */
async function start(access: Access, host = '127.0.0.1') {
  const { app, store, send } = openTestApp({ access });
  const server: RunningServer = await serve(app, { host, port: 0 });
  return { server, store, send, url: server.url };
}

const wellServer = {
  reachable: 'ok',
  connection: 'ok',
  clock: 'ok',
  access: 'ok',
  models: 'ok',
  encoder: 'ok',
  limits: 'ok',
  uploads: 'skipped',
  latency: 'ok',
  collections: 'ok',
  'round trip': 'ok',
};

describe('a server', () => {
  test('that is well', async () => {
    const { server, send, url } = await start({ kind: 'loopback' });
    await send('PUT', '/v1/collections/photos', {});
    await send('POST', '/v1/collections/photos/items', {
      items: [{ id: 'cat', image: Buffer.from(photograph('cat.jpg')).toString('base64') }],
    });
    const report = await doctor(url);
    expect(report).toMatchObject({ exit: 0, status: 'ok', checks: wellServer });
    expect(report.of('collections')?.detail).toContain('1 with 1 items');
    const { collections } = (await (await send('GET', '/v1/collections')).json()) as {
      collections: unknown[];
    };
    expect(collections, 'the collection of the round trip is gone').toHaveLength(1);
    await server.close(0);
  });

  test('that keeps a damaged collection fails, and tells which', async () => {
    const { store, send } = openTestApp();
    for (const name of ['torn', 'whole']) await send('PUT', `/v1/collections/${name}`, { dimension: 2 });
    await store.put(`collections/torn/log/${'1'.padStart(20, '0')}`, new Uint8Array(9));
    const { app } = openTestApp({ objects: store, engine: openEngine({ store }) });
    const server = await serve(app, { host: '127.0.0.1', port: 0 });
    const report = await doctor(server.url);
    expect(report).toMatchObject({ exit: 1, checks: { ...wellServer, collections: 'failed' } });
    expect(report.of('collections')?.detail).toMatch(/torn \(.*; of the others 1 with 0 items/);
    await server.close(0);
  });

  test('with keys: strangers are refused, and each key is good for what it is', async () => {
    const admin = createApiKey('admin', 'admin');
    const reader = createApiKey('reader', 'read');
    const { server, url } = await start({ kind: 'keys', keys: [admin.stored, reader.stored] });
    const strangers = await doctor(url);
    expect(strangers).toMatchObject({ exit: 0, status: 'warning', checks: { access: 'ok', key: 'warning' } });
    expect(strangers.checks).not.toHaveProperty('models');
    const wrong = await doctor(url, '--key', 'lk_wrong');
    expect(wrong).toMatchObject({ exit: 1, status: 'failed', checks: { access: 'ok', key: 'failed' } });
    expect(await doctor(url, '--key', admin.key)).toMatchObject({
      exit: 0,
      checks: { ...wellServer, key: 'ok' },
    });
    expect(await doctor(url, '--key', reader.key)).toMatchObject({
      exit: 0,
      status: 'ok',
      checks: { ...wellServer, key: 'ok', 'round trip': 'skipped' },
    });
    expect(await doctor(url, '--key', admin.key, '--read-only')).toMatchObject({
      checks: { 'round trip': 'skipped' },
    });
    await server.close(0);
  });

  test('that is open to everybody fails', async () => {
    // Its name is not one of loopback, so that it counts as elsewhere.
    const { server } = await start({ kind: 'upstream' }, '0.0.0.0');
    const report = await doctor(`http://0.0.0.0:${server.port}`);
    expect(report).toMatchObject({ exit: 1, checks: { connection: 'warning', access: 'failed' } });
    await server.close(0);
  });

  test('whose clock is another fails', async () => {
    const { server, url } = await start({ kind: 'loopback' });
    const proxy = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const type = request.headers['content-type'];
      const answer = await fetch(url + request.url, {
        method: request.method ?? 'GET',
        headers: type === undefined ? {} : { 'content-type': type },
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'text/plain',
        date: new Date(Date.now() + 600_000).toUTCString(),
      });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const report = await doctor(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    expect(report).toMatchObject({ exit: 1, checks: { clock: 'failed', 'round trip': 'ok' } });
    expect(report.of('clock')?.detail).toMatch(/^(599|600|601) s behind that of the server/);
    proxy.close();
    await server.close(0);
  });

  test('that does not answer, or is another one', async () => {
    const other = createServer((_, response) => response.end('hello'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await doctor(url)).toMatchObject({ exit: 2, checks: { reachable: 'failed' } });
    await new Promise((resolve) => other.close(resolve));
    const gone = await doctor(url);
    expect(gone).toMatchObject({ exit: 2, status: 'failed' });
    expect(gone.of('reachable')?.detail).toContain(`no answer from ${url}`);
  });
});

describe('a data folder', () => {
  test('that is well, as a table', async () => {
    const made = await folder.write('data/.keep', '');
    const target = made.replace('/.keep', '');
    const { status, stdout } = await runCommand(['doctor', target], { env: folder.env });
    expect(stdout).toMatch(/^ok +preconditions +of writers that create one key at once, one wins$/m);
    expect(stdout).toMatch(/^ok +round trip +write \d+, query \d+, read \d+, delete \d+ ms$/m);
    expect(status).toBe(0);
  });

  test('is not written to with --read-only', async () => {
    const untouched = (await folder.write('untouched/notes.txt', '')).replace('/notes.txt', '');
    const report = await doctor(untouched, '--read-only');
    expect(report).toMatchObject({
      exit: 0,
      checks: { store: 'ok', encoder: 'ok', 'round trip': 'skipped' },
    });
    expect(report.checks).not.toHaveProperty('preconditions');
    const left = (await readdir(untouched, { recursive: true })).filter((name) => name !== '.lookalike-tmp');
    expect(left).toEqual(['notes.txt']);
  });

  test('that is not there is not made', async () => {
    const report = await doctor(`${folder.root}/nowhere`);
    expect(report).toMatchObject({ exit: 2, checks: { store: 'failed' } });
    expect(await readdir(folder.root)).not.toContain('nowhere');
  });
});
