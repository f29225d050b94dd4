import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3Server } from '../../../test/s3-server/s3-server.ts';
import { s3PictureSource } from './s3-picture-source.ts';

let server: S3Server;
let client: S3Client;
beforeAll(async () => {
  server = await S3Server.start(['drop']);
  client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(() => server.close());

test('a picture of a bucket brings its tags as metadata, and what it was stored with, which wins', async () => {
  const source = s3PictureSource({ client, bucket: 'drop', maxBytes: 10 });
  const put = (Key: string, Body: string, more = {}) =>
    client.send(new PutObjectCommand({ Bucket: 'drop', Key, Body, ...more }));
  const described = { Tagging: 'album=tag&colour=red%20wine', Metadata: { album: 'object' } };
  await put('described.jpg', '0123456789', described);
  await put('plain.jpg', 'bytes');
  await put('large.jpg', '0123456789x');
  await put('large.jpg.json', '{"a": "longer than a picture may be"}');

  const picture = await source.read('described.jpg');
  expect(picture).toMatchObject({ metadata: { album: 'object', colour: 'red wine' } });
  expect(Buffer.from(picture?.bytes ?? []).toString()).toBe('0123456789');
  expect(picture).toMatchObject((await source.version('described.jpg')) as object);
  expect(picture?.etag).not.toContain('"');
  expect((await source.read('plain.jpg'))?.metadata).toEqual({});
  await expect(source.read('large.jpg')).rejects.toMatchObject({ code: 'picture-too-large' });
  expect((await source.readText('large.jpg.json'))?.text).toBe('{"a": "longer than a picture may be"}');
  for (const key of ['nothing.jpg', 'described.jpg.json']) {
    expect(await source.read(key)).toBeUndefined();
    expect(await source.version(key)).toBeUndefined();
    expect(await source.readText(key)).toBeUndefined();
  }
});
