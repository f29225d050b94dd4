import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createApp } from '@lookalike/api';
import { LookalikeClient } from '@lookalike/client';
import { openEngine } from '@lookalike/index';
import { s3PictureSource, s3Uploads } from '@lookalike/ingest';
import { MemoryStore } from '@lookalike/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lazyEncoders } from '../../packages/api/src/encoders.ts';
import { pixelEncoder } from '../../packages/api/src/testing/pixel-encoder.ts';
import { photograph } from './drop-pictures.ts';
import { Cloud } from './loopback/cloud.ts';

let cloud: Cloud;
let client: LookalikeClient;

/** What the functions wire, with the quick encoder of tests; bodies over `bodyLimit` bytes end as at Lambda. */
function deploy({ uploads = true, bodyLimit = Number.POSITIVE_INFINITY } = {}): LookalikeClient {
  const store = new MemoryStore();
  const app = createApp({
    engine: openEngine({ store, commitWindow: 0 }),
    objects: store,
    encoders: lazyEncoders({
      default: 'pixels',
      names: ['pixels'],
      open: async (name) => pixelEncoder(name),
    }),
    access: { kind: 'upstream' },
    limits: { pictureBytes: 1_000_000 },
    ...(uploads && {
      uploads: s3Uploads({
        config: {
          region: 'us-east-1',
          endpoint: cloud.s3.url,
          credentials: cloud.s3Client.config.credentials,
        },
        bucket: 'pictures',
        prefix: 'uploads/',
        sourceOf: (maxBytes) => s3PictureSource({ client: cloud.s3Client, bucket: 'pictures', maxBytes }),
      }),
    }),
  });
  return new LookalikeClient('http://lookalike.test', {
    retries: 0,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      if (!request.url.startsWith('http://lookalike.test/')) return fetch(request);
      const { byteLength } = await request.clone().arrayBuffer();
      if (byteLength > bodyLimit) return new Response('Request Entity Too Large', { status: 413 });
      return app.fetch(request);
    },
  });
}

beforeAll(async () => {
  cloud = await Cloud.start();
  client = deploy();
  await client.createCollection('photos');
});

afterAll(() => cloud.stop());

const cat = photograph('cat');
const describeCat = { bytes: cat.length, contentType: 'image/jpeg' };

function put(uploadUrl: string, headers: Record<string, string>, body: Uint8Array = cat): Promise<Response> {
  return fetch(uploadUrl, { method: 'PUT', headers, body: new Uint8Array(body) });
}

describe('a picture uploaded to the bucket', () => {
  test('becomes an item and a query by its url', async () => {
    const { url, uploadUrl, headers, expires } = await client.createUpload(describeCat);
    expect(url).toMatch(/^s3:\/\/pictures\/uploads\/[0-9a-f-]{36}$/);
    expect(Date.parse(expires)).toBeGreaterThan(Date.now());
    expect((await put(uploadUrl, headers)).status).toBe(200);
    const stored = await client.upsert('photos', [
      { id: 'rocket', image: photograph('rocket').toString('base64') },
      { id: 'cat', url, metadata: { by: 'upload' } },
      { id: 'coffee', image: photograph('coffee').toString('base64') },
    ]);
    expect(stored.results.map(({ id, status }) => [id, status])).toEqual([
      ['rocket', 'stored'],
      ['cat', 'stored'],
      ['coffee', 'stored'],
    ]);
    expect(await client.getItem('photos', 'cat')).toMatchObject({
      metadata: { by: 'upload', picture: { format: 'jpeg', bytes: cat.length } },
    });
    const { matches } = await client.query('photos', { url, topK: 1 });
    expect(matches[0]?.id).toBe('cat');
    expect(matches[0]?.similarity).toBeCloseTo(1, 5);
    const batch = await client.queryBatch('photos', [
      { url, topK: 1 },
      { id: 'cat', topK: 1 },
    ]);
    expect(batch[0]).toMatchObject({ matches: [{ id: 'cat' }] });
  });

  test('has thumbnail bytes of its own', async () => {
    expect((await client.thumbnail('photos', 'cat')).size).toBeGreaterThan(0);
  });
});

describe('S3 refuses an upload', () => {
  test('of another size', async () => {
    const { uploadUrl, headers } = await client.createUpload(describeCat);
    expect((await put(uploadUrl, headers, cat.subarray(1))).status).toBe(403);
  });

  test('of another type', async () => {
    const { uploadUrl, headers } = await client.createUpload(describeCat);
    expect((await put(uploadUrl, { ...headers, 'content-type': 'text/html' })).status).toBe(403);
  });

  test('a second time, with the condition or without it', async () => {
    const { uploadUrl, headers } = await client.createUpload(describeCat);
    expect((await put(uploadUrl, headers)).status).toBe(200);
    expect((await put(uploadUrl, headers)).status).toBe(412);
    expect((await put(uploadUrl, { 'content-type': 'image/jpeg' })).status).toBe(403);
  });

  test('to another key', async () => {
    const { uploadUrl, headers } = await client.createUpload(describeCat);
    const elsewhere = uploadUrl.replace('/uploads/', '/ingest/');
    expect((await put(elsewhere, headers)).status).toBe(403);
  });
});

describe('an upload that cannot be used', () => {
  test('is the error of its item, and loses no other', async () => {
    const { url } = await client.createUpload(describeCat);
    const large = await client.createUpload(describeCat);
    await cloud.s3Client.send(
      new PutObjectCommand({
        Bucket: 'pictures',
        Key: large.url.replace('s3://pictures/', ''),
        Body: Buffer.alloc(1_000_001),
      }),
    );
    const elsewhere = 's3://pictures/ingest/photos/cat.jpg';
    const { results } = await client.upsert('photos', [
      { id: 'missing', url },
      { id: 'elsewhere', url: elsewhere },
      { id: 'other-bucket', url: 's3://private-archive/uploads/0b7e6c7e-5f5b-4d0c-9b6e-2f8f0d1b2c3d' },
      { id: 'large', url: large.url },
      { id: 'good', image: cat.toString('base64') },
      { id: 'two', url, image: cat.toString('base64') },
    ]);
    expect(results.map(({ id, status, error }) => [id, status, error?.code])).toEqual([
      ['missing', 'invalid', 'unknown-upload'],
      ['elsewhere', 'invalid', 'invalid-request'],
      ['other-bucket', 'invalid', 'invalid-request'],
      ['large', 'invalid', 'picture-too-large'],
      ['good', 'stored', undefined],
      ['two', 'invalid', 'invalid-request'],
    ]);
    await expect(client.query('photos', { url })).rejects.toMatchObject({
      status: 404,
      code: 'unknown-upload',
    });
  });

  test('is not asked for when the picture is over the limit', async () => {
    await expect(client.createUpload({ bytes: 1_000_001, contentType: 'image/jpeg' })).rejects.toMatchObject({
      status: 422,
      code: 'picture-too-large',
    });
    await expect(client.createUpload({ bytes: 10, contentType: 'text/html' })).rejects.toMatchObject({
      code: 'invalid-request',
    });
  });
});

describe('the client', () => {
  test('uploads a picture that the platform takes in no request', async () => {
    const small = deploy({ bodyLimit: 20_000 });
    await small.createCollection('photos');
    expect(cat.length).toBeGreaterThan(20_000);
    const stored = await small.putPicture('photos', 'cat', new Uint8Array(cat), { metadata: { n: 1 } });
    expect(stored).toMatchObject({ id: 'cat', status: 'stored' });
    const { matches } = await small.query('photos', { picture: new Uint8Array(cat), topK: 1, include: [] });
    expect(matches[0]?.id).toBe('cat');
  });

  test('uploads it also where metadata or a filter is too long for an address', async () => {
    const small = deploy({ bodyLimit: 20_000 });
    await small.createCollection('photos');
    const metadata = { note: 'n'.repeat(5000) };
    const stored = await small.putPicture('photos', 'cat', new Uint8Array(cat), { metadata });
    expect(stored).toMatchObject({ id: 'cat', status: 'stored' });
    const filter = { field: 'note', in: ['other', metadata.note] };
    const { matches } = await small.query('photos', { picture: new Uint8Array(cat), topK: 1, filter });
    expect(matches[0]?.id).toBe('cat');
  });

  test('says what the platform said where there are no uploads', async () => {
    const small = deploy({ bodyLimit: 20_000, uploads: false });
    await small.createCollection('photos');
    await expect(small.putPicture('photos', 'cat', new Uint8Array(cat))).rejects.toMatchObject({
      status: 413,
    });
    await expect(small.createUpload(describeCat)).rejects.toMatchObject({ status: 409, code: 'no-uploads' });
    const { results } = await small.upsert('photos', [{ id: 'cat', url: 's3://pictures/uploads/x' }]);
    expect(results[0]?.error?.code).toBe('no-uploads');
  });
});
