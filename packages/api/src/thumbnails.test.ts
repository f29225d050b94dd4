import { openEngine } from '@lookalike/index';
import { expect, it } from 'vitest';
import { openTestApp, photograph, type TestApp } from './testing/test-app.ts';
import { sweepThumbnails } from './thumbnails.ts';

async function put({ app }: TestApp, id: string, name: string): Promise<void> {
  const response = await app.request(`http://localhost/v1/collections/photos/items/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'image/jpeg' },
    body: photograph(name),
  });
  expect(response.status).toBe(200);
}

async function thumbnailsOf({ store }: TestApp): Promise<number> {
  return (await store.list('collections/photos/thumbnails/')).objects.length;
}

it('are shared by equal pictures, and swept when no item needs them any more', async () => {
  const test = openTestApp();
  await test.send('PUT', '/v1/collections/photos');
  await put(test, 'a', 'cat.jpg');
  await put(test, 'b', 'cat.jpg');
  await put(test, 'c', 'rocket.jpg');
  expect(await thumbnailsOf(test)).toBe(2);
  await test.send('DELETE', '/v1/collections/photos/items/a');
  await put(test, 'c', 'coffee.jpg');
  const collection = await openEngine({ store: test.store }).collection('photos');
  expect(await sweepThumbnails(collection, test.store)).toEqual({ deleted: 0 });
  expect(await sweepThumbnails(collection, test.store, { grace: 0 })).toEqual({ deleted: 1 });
  for (const id of ['b', 'c']) {
    expect((await test.send('GET', `/v1/collections/photos/items/${id}/thumbnail`)).status).toBe(200);
  }
});

it('go with their collection', async () => {
  const test = openTestApp({ inlineJobs: true });
  await test.send('PUT', '/v1/collections/photos');
  await put(test, 'a', 'cat.jpg');
  await test.send('POST', '/v1/collections/photos/duplicates');
  await test.send('DELETE', '/v1/collections/photos');
  expect(await thumbnailsOf(test)).toBe(0);
  expect((await test.store.list('collections/photos/duplicates/')).objects).toEqual([]);
});
