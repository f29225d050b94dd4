import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../packages/cli/src/test-command.ts';
import { S3Server, SECRET_KEY } from '../s3-server/s3-server.ts';
import { ADMIN_KEY, Cloud } from './loopback/cloud.ts';
import { WebFunction } from './loopback/web-function.ts';

let s3: S3Server;
/** The same server as one that does not know `If-None-Match` of writes. */
let forgetful: Server;

beforeAll(async () => {
  s3 = await S3Server.start(['data']);
  forgetful = createServer((incoming, response) => {
    const { 'if-none-match': _, ...headers } = incoming.headers;
    const { method, url } = incoming;
    const onward = request(s3.url + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => forgetful.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  forgetful.closeAllConnections();
  forgetful.close();
  await s3.close();
});

async function doctor(endpoint: string, ...args: string[]) {
  const env = {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'loopback',
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  };
  const { status, stdout, stderr } = await runCommand(['doctor', 's3://data', '--json', ...args], { env });
  if (stdout === '') throw new Error(stderr);
  const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string }[] };
  return { exit: status, checks: Object.fromEntries(checks.map(({ check, status }) => [check, status])) };
}

test('a bucket that keeps its word is well, and is left as it was', async () => {
  expect(await doctor(s3.url)).toMatchObject({
    exit: 0,
    checks: { store: 'ok', preconditions: 'ok', 'store latency': 'ok', clock: 'ok', 'round trip': 'ok' },
  });
  const left = [...(s3.buckets.get('data')?.keys() ?? [])].filter((key) => !key.startsWith('collections/'));
  expect(left).toEqual([]);
});

test('one that lets two writers create one key is not', async () => {
  const endpoint = `http://127.0.0.1:${(forgetful.address() as AddressInfo).port}`;
  const report = await doctor(endpoint);
  expect(report).toMatchObject({ exit: 1, checks: { store: 'ok', preconditions: 'failed' } });
  expect(report.checks).not.toHaveProperty('round trip');
});

test('with --read-only nothing is written', async () => {
  const writes = () => ['PUT object', 'POST bucket', 'DELETE object'].map((kind) => s3.requests.get(kind));
  const before = writes();
  expect(await doctor(s3.url, '--read-only')).toMatchObject({ exit: 0, checks: { 'round trip': 'skipped' } });
  expect(writes()).toEqual(before);
});

test('a deployment is well, its uploads included', async () => {
  const cloud = await Cloud.start();
  const api = await WebFunction.start({ module: cloud.moduleOf('api-web'), env: cloud.env });
  await api.listening(120_000);
  const { status, stdout } = await runCommand(['doctor', api.url, '--json'], {
    env: { LOOKALIKE_KEY: ADMIN_KEY },
  });
  const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string; detail: string }[] };
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(checks.map(({ check }) => check)).toEqual(
    expect.arrayContaining(['key', 'uploads', 'encoder', 'round trip']),
  );
  expect(status).toBe(0);
  expect(await api.stop()).toBe(0);
  await cloud.stop();
});
