import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { photograph } from './drop-pictures.ts';
import { ADMIN_KEY, Cloud } from './loopback/cloud.ts';
import { callFunctionUrl } from './loopback/function-url.ts';

interface Segment {
  name: string;
  trace_id?: string;
  annotations?: Record<string, unknown>;
  subsegments?: Segment[];
  fault?: boolean;
}

const trace = '1-5759e988-bd862e3fe1be46a994272793';
const received: Segment[] = [];
let cloud: Cloud;
let daemon: Socket;

/** What Lambda sets for a function whose traces are active, the address of the X-Ray daemon included. */
beforeAll(async () => {
  daemon = createSocket('udp4', (message) => {
    const [, body] = message.toString().split('\n');
    received.push(JSON.parse(body as string));
  });
  await new Promise<void>((resolve) => daemon.bind(0, '127.0.0.1', resolve));
  cloud = await Cloud.start();
  Object.assign(process.env, {
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    LAMBDA_TASK_ROOT: '/var/task',
    _X_AMZN_TRACE_ID: `Root=${trace};Parent=557abcec3ee5a047;Sampled=1`,
    AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${daemon.address().port}`,
  });
});

afterAll(async () => {
  for (const name of ['AWS_EXECUTION_ENV', 'LAMBDA_TASK_ROOT', '_X_AMZN_TRACE_ID', 'AWS_XRAY_DAEMON_ADDRESS'])
    delete process.env[name];
  await cloud.stop();
  daemon.close();
});

/** Segments arrive on their own, in no order. */
async function segment(name: string): Promise<Segment> {
  return expect
    .poll(() => received.find((one) => one.name === name), { timeout: 30_000 })
    .toBeDefined()
    .then(() => received.find((one) => one.name === name) as Segment);
}

test('a batch is a part of its trace, with the calls it made', async () => {
  await cloud.drop('ingest/photos/cat.jpg', photograph('cat'));
  await cloud.eventSource(cloud.embedQueue, 20, cloud.function('embed')).drain();
  const { trace_id, annotations } = await segment('ingest');
  expect(trace_id).toBe(trace);
  expect(annotations).toMatchObject({ messages: 1, ColdStart: true, Service: 'lookalike' });
  const call = await segment('S3');
  expect(call).toMatchObject({ trace_id: trace, namespace: 'aws' });
}, 120_000);

test('a request is one by its route, from the second of an environment on', async () => {
  const api = cloud.function('api-event', 'stream');
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const ask = (path: string) => callFunctionUrl(api, { method: 'GET', path, headers });
  expect((await ask('/v1/collections/photos')).status).toBe(200);
  await expect
    .poll(
      async () => {
        expect((await ask('/v1/collections/photos/items/cat.jpg')).status).toBe(200);
        return received.some(({ name }) => name === 'GET /v1/collections/_/items/_');
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  const { annotations } = await segment('GET /v1/collections/_/items/_');
  expect(annotations).toMatchObject({ path: '/v1/collections/photos/items/cat.jpg' });
}, 120_000);
