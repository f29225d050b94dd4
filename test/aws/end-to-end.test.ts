import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badPictures, differentPictures, photograph } from './drop-pictures.ts';
import { ADMIN_KEY, Cloud } from './loopback/cloud.ts';
import { callFunctionUrl } from './loopback/function-url.ts';
import type { LambdaFunction } from './loopback/lambda-function.ts';
import { WebFunction } from './loopback/web-function.ts';

/** The whole proof drops 195 and five bad ones; `npm test` fewer, as encoding is what takes its time. */
const good = Number(process.env.LOOKALIKE_DROPS ?? 40);
const authorization = `Bearer ${ADMIN_KEY}`;
let cloud: Cloud;
let api: LambdaFunction;

beforeAll(async () => {
  cloud = await Cloud.start();
  api = cloud.function('api-event', 'stream');
});

afterAll(() => cloud.stop());

async function ask(method: string, path: string, body?: string | Uint8Array, type = 'application/json') {
  const answer = await callFunctionUrl(api, {
    method,
    path,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, body: answer.text === '' ? undefined : JSON.parse(answer.text) };
}

async function rows(): Promise<{ id: string; version: number }[]> {
  const { body } = await ask('GET', '/v1/collections/photos/items?limit=1000');
  return body.items;
}

describe('pictures dropped in a bucket, through the functions and the events of AWS', () => {
  const letters = () => cloud.sqs.messages('embed-dead');

  test('become rows; the bad ones lie in the dead-letter queue, with reasons', async () => {
    const pictures = await differentPictures(good);
    await Promise.all(
      pictures.map((picture, index) =>
        cloud.drop(`ingest/photos/set ${index % 7}/picture+${index} ä.jpg`, picture),
      ),
    );
    const bad = await badPictures();
    for (const { name, body } of bad) await cloud.drop(`ingest/photos/bad/${name}`, body);
    // Two environments at once, as Lambda runs them.
    const sources = [1, 2].map(() => cloud.eventSource(cloud.embedQueue, 20, cloud.function('embed')));
    await Promise.all(sources.map((source) => source.drain()));
    expect(cloud.sqs.messages('embed')).toEqual([]);
    expect(await rows()).toHaveLength(good);
    const told = letters().map(({ body, attributes }) => [
      JSON.parse(body).Records[0].s3.object.key,
      attributes.Code,
    ]);
    expect(told.sort()).toEqual(bad.map(({ name, code }) => [`ingest/photos/bad/${name}`, code]).sort());
    for (const { attributes } of letters()) expect(attributes.Reason).not.toBe('');
  }, 600_000);

  test('change nothing when every message comes again', async () => {
    const before = await rows();
    for (const key of cloud.s3.buckets.get('pictures')?.keys() ?? []) cloud.notify(key, 'ObjectCreated:Put');
    await cloud.eventSource(cloud.embedQueue, 20, cloud.function('embed')).drain();
    expect(await rows()).toEqual(before);
    expect(letters()).toHaveLength(5);
  }, 600_000);

  test('lose their row when they are deleted', async () => {
    cloud.remove('ingest/photos/set 0/picture+0 ä.jpg');
    await cloud.eventSource(cloud.embedQueue, 20, cloud.function('embed')).drain();
    const ids = (await rows()).map(({ id }) => id);
    expect(ids).toHaveLength(good - 1);
    expect(ids).not.toContain('set 0/picture+0 ä.jpg');
  }, 600_000);
});

describe('the indexer', () => {
  test('may be killed midway: the next one ends what it began', async () => {
    await ask('PUT', '/v1/collections/vectors', JSON.stringify({ dimension: 64, metric: 'cosine' }));
    for (let batch = 0; batch < 4; batch++) {
      const items = Array.from({ length: 2000 }, (_, index) => ({
        id: `${batch}-${index}`,
        vector: Array.from({ length: 64 }, (_, at) => Math.sin(batch * 2000 + index + at * at)),
      }));
      expect((await ask('POST', '/v1/collections/vectors/items', JSON.stringify({ items }))).status).toBe(
        200,
      );
    }
    cloud.tellOfCommits('vectors');
    const first = cloud.function('index-collections');
    await first.ready;
    // It has written a part of the segment and no commit that names it.
    cloud.s3.onPut = (key) => {
      if (key.includes('/segments/')) first.kill();
    };
    const dying = cloud.eventSource(cloud.indexQueue, 100, first).poll();
    await expect(dying).rejects.toThrow('the function ended');
    cloud.s3.onPut = () => {};
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await cloud.eventSource(cloud.indexQueue, 100, cloud.function('index-collections')).drain();
    expect(cloud.sqs.messages('index')).toEqual([]);
    const { body: stats } = await ask('GET', '/v1/collections/vectors/stats');
    expect(stats).toMatchObject({ items: 8000, tailRows: 0 });
    const query = { id: '3-17', topK: 3, exact: true };
    const { body } = await ask('POST', '/v1/collections/vectors/query', JSON.stringify(query));
    expect(body.matches).toHaveLength(3);
  }, 600_000);

  test('is asked by the sweep for tails too short for a commit to call it', async () => {
    const sweep = cloud.function('sweep');
    await sweep.invoke({ task: 'measure' });
    const asked = cloud.sqs.messages('index').map(({ body }) => JSON.parse(body));
    expect(asked).toEqual([{ collection: 'photos' }]);
    await cloud.eventSource(cloud.indexQueue, 100, cloud.function('index-collections')).drain();
    const { body: stats } = await ask('GET', '/v1/collections/photos/stats');
    expect(stats).toMatchObject({ items: good - 1, tailRows: 0 });
    await sweep.invoke({ task: 'collect-garbage' });
    // Deletes alone are to be indexed, too.
    await ask('DELETE', '/v1/collections/vectors/items/3-17');
    await sweep.invoke({ task: 'measure' });
    expect(cloud.sqs.messages('index').map(({ body }) => JSON.parse(body))).toEqual([
      { collection: 'vectors' },
    ]);
    await cloud.eventSource(cloud.indexQueue, 100, cloud.function('index-collections')).drain();
    expect(await rows()).toHaveLength(good - 1);
  }, 600_000);
});

describe('the API', () => {
  test('finds a recompressed, smaller copy', async () => {
    const pictures = await differentPictures(good);
    const copy = await sharp(pictures[30]).resize(150, 150).jpeg({ quality: 40 }).toBuffer();
    const { status, body } = await ask('POST', '/v1/collections/photos/query?topK=3', copy, 'image/jpeg');
    expect(status).toBe(200);
    expect(body.matches[0].id).toBe('set 2/picture+30 ä.jpg');
    expect(body.matches[0].similarity).toBeGreaterThan(0.8);
  }, 600_000);

  test('answers nobody without a key', async () => {
    const request = { method: 'GET', path: '/v1/collections' };
    expect((await callFunctionUrl(api, request)).status).toBe(401);
    const headers = { authorization: 'Bearer of-another-deployment-entirely-xxxxx' };
    expect((await callFunctionUrl(api, { ...request, headers })).status).toBe(401);
    expect((await callFunctionUrl(api, { method: 'GET', path: '/healthz' })).status).toBe(200);
  });

  test('answers the same as a Web Function, on the port that Lambda names, and ends when told to', async () => {
    const web = await WebFunction.start({ module: cloud.moduleOf('api-web'), env: cloud.env });
    await web.listening(120_000);
    const headers = { authorization, 'content-type': 'image/jpeg' };
    const query = { method: 'POST', headers, body: new Uint8Array(photograph('cat')) };
    const answers = await Promise.all(
      [1, 2, 3].map(async () => {
        const response = await fetch(`${web.url}/v1/collections/photos/query?topK=5`, query);
        return (await response.json()) as { matches: unknown };
      }),
    );
    const { body } = await ask(
      'POST',
      '/v1/collections/photos/query?topK=5',
      photograph('cat'),
      'image/jpeg',
    );
    for (const answer of answers) expect(answer.matches).toEqual(body.matches);
    expect(await web.stop()).toBe(0);
  }, 600_000);
});
