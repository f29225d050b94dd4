import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '@lookalike/index';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { openS3Store, S3Store } from '@lookalike/store/s3';
import { afterAll, describe, expect, test } from 'vitest';
import { type S3Fault, type S3Request, S3Server, type S3ServerOptions } from '../s3-server/s3-server.ts';
import { objectStoreConformance } from './object-store.ts';

const servers: S3Server[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
});

async function serve(options: S3ServerOptions = {}) {
  const server = await S3Server.start(['bucket'], options);
  servers.push(server);
  const store = () =>
    new S3Store({
      bucket: 'bucket',
      prefix: 'some/prefix/',
      client: {
        endpoint: server.url,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      },
    });
  return { server, store };
}

const stores = new Map<ObjectStore, () => ObjectStore>();
objectStoreConformance(
  's3',
  async () => {
    const { store } = await serve();
    const first = store();
    stores.set(first, store);
    return first;
  },
  { another: async (store) => (stores.get(store) as () => ObjectStore)() },
);

// A real server, as radosgw.ts starts one: LOOKALIKE_S3_ENDPOINT, LOOKALIKE_S3_BUCKET, the SDK's own AWS_* for the credentials, and
// LOOKALIKE_S3_OVERWRITES_BY_STREAM where it ignores the precondition of multipart uploads.
const {
  LOOKALIKE_S3_ENDPOINT: endpoint,
  LOOKALIKE_S3_BUCKET: bucket,
  LOOKALIKE_S3_OVERWRITES_BY_STREAM: overwrites,
} = process.env;
if (endpoint !== undefined && bucket !== undefined)
  objectStoreConformance(
    `s3 at ${endpoint}`,
    () =>
      openS3Store({
        bucket,
        // Short: with it the longest key of the suite is at the limit of S3.
        prefix: `c${Date.now()}/`,
        client: { endpoint, forcePathStyle: true, region: 'us-east-1' },
      }),
    { overwritesByStream: overwrites !== undefined },
  );

describe('the start-up check', () => {
  test('accepts a store that honours creates', async () => {
    const { store, server } = await serve();
    const { checkStore } = await import('@lookalike/store');
    await checkStore(store());
    expect(server.buckets.get('bucket')?.size).toBe(0);
  });

  test('refuses a store that overwrites, and says why', async () => {
    const { store } = await serve({ ignorePreconditions: true });
    const { checkStore } = await import('@lookalike/store');
    await expect(checkStore(store())).rejects.toMatchObject({
      code: 'unsafe-store',
      message: expect.stringContaining('If-None-Match'),
    });
  });
});

test('what S3 does not delete is an error that names it, and the others are deleted', async () => {
  const { store } = await serve({ keeps: (key) => key.endsWith('/kept') });
  const s3 = store();
  const keys = ['a', 'kept', 'z'];
  for (const key of keys) await s3.put(key, new Uint8Array(1));
  await expect(s3.delete(keys)).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(/kept: AccessDenied/),
  });
  expect((await s3.list('')).objects.map(({ key }) => key)).toEqual(['kept']);
});

describe('a faulty network', () => {
  test.each(['refused', 'truncated', 'slow', 'lost'] as const)(
    'reads and lists survive what is %s',
    async (fault) => {
      const { server, store } = await serve();
      const s3 = store();
      const body = new Uint8Array(100_000).map((_, i) => i % 251);
      for (let i = 0; i < 20; i++) await s3.put(`k/${i}`, body);
      let n = 0;
      server.options = { fault: ({ method }) => (method === 'GET' && n++ % 3 === 0 ? fault : undefined) };
      for (let i = 0; i < 20; i++) expect((await s3.get(`k/${i}`))?.body).toEqual(body);
      expect((await s3.list('k/')).objects).toHaveLength(20);
      let streamed = 0;
      for await (const chunk of (await s3.stream('k/3')) ?? []) streamed += chunk.length;
      expect(streamed).toBe(body.length);
    },
  );

  test('a store that stays away is an error that says so', async () => {
    const { store } = await serve({ fault: () => 'refused' });
    const error: unknown = await store()
      .get('a')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LookalikeError);
    expect(error).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('s3://bucket/'),
    });
  });

  test('collections lose nothing and store nothing twice while every kind of fault happens', async () => {
    let n = 0;
    const kinds: (S3Fault | undefined)[] = [
      'lost',
      undefined,
      'conflict',
      undefined,
      undefined,
      'refused',
      'slow',
      undefined,
    ];
    // However the engines come to take turns, none is refused the same five times, after which the store counts as away.
    const inARow = new Map<string, number>();
    const fault = ({ method, key }: S3Request) => {
      const kind = kinds[n++ % kinds.length];
      const request = `${method} ${key}`;
      const faults = inARow.get(request) ?? 0;
      // Only creates are refused with a conflict.
      const isLetPass = (kind === 'conflict' && method !== 'PUT') || faults === 3;
      const injected = isLetPass || key.includes('lookalike-check') ? undefined : kind;
      inARow.set(request, injected === undefined ? 0 : faults + 1);
      return injected;
    };
    const { server, store } = await serve({ fault });
    const engines = Array.from({ length: 3 }, () =>
      openEngine({
        store: store(),
        commitWindow: 0,
        maintenance: false,
        cacheFolder: join(tmpdir(), 'lookalike-s3-cache'),
      }),
    );
    await engines[0]?.createCollection('c', { dimension: 2, metric: 'l2' });
    const collections = await Promise.all(engines.map((engine) => engine.collection('c')));
    const versions: number[] = [];
    await Promise.all(
      collections.map(async (collection, w) => {
        for (let i = 0; i < 15; i++) {
          const { version } = await collection.upsert([{ id: `w${w}-${i}`, vector: Float32Array.of(w, i) }]);
          versions.push(version);
        }
      }),
    );
    await engines[1]?.compact('c');
    server.options = {};
    const fresh = openEngine({
      store: store(),
      maintenance: false,
      cacheFolder: join(tmpdir(), 'lookalike-s3-cache'),
    });
    const { items } = await (await fresh.collection('c')).scan({ limit: 1000 });
    expect(items.map(({ id }) => id).sort()).toEqual(
      [0, 1, 2].flatMap((w) => Array.from({ length: 15 }, (_, i) => `w${w}-${i}`)).sort(),
    );
    // Each call had a commit of its own, and none was made twice.
    expect(new Set(versions).size).toBe(45);
    expect(Math.max(...versions)).toBe(46);
    expect((await fresh.verify('c')).damaged).toEqual([]);
  });
});
