import { openEngine } from '@lookalike/index';
import { expect, it } from 'vitest';
import { sweepDerived, sweepEveryCollection } from './derived-objects.ts';
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

it('of the last of many items stay', async () => {
  const test = openTestApp();
  await test.send('PUT', '/v1/collections/photos');
  await put(test, 'z', 'cat.jpg');
  const vector = Array.from({ length: 192 }, (_, n) => n + 1);
  const items = Array.from({ length: 2001 }, (_, n) => ({ id: `${n}`, vector }));
  await test.send('POST', '/v1/collections/photos/items', { items });
  const collection = await openEngine({ store: test.store }).collection('photos');
  expect(await sweepThumbnails(collection, test.store, { grace: 0 })).toEqual({ deleted: 0 });
  expect((await test.send('GET', '/v1/collections/photos/items/z/thumbnail')).status).toBe(200);
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

it('and results of jobs are swept in every collection, results once they are old', async () => {
  const test = openTestApp({ inlineJobs: true });
  await test.send('PUT', '/v1/collections/photos');
  await test.send('PUT', '/v1/collections/others');
  await put(test, 'a', 'cat.jpg');
  await put(test, 'b', 'rocket.jpg');
  await test.send('POST', '/v1/collections/photos/duplicates');
  await test.send('DELETE', '/v1/collections/photos/items/b');
  const results = async () => (await test.store.list('collections/photos/duplicates/')).objects.length;
  // Its state, and the pairs for the next one.
  expect(await results()).toBe(2);
  const engine = openEngine({ store: test.store });
  const list = test.store.list.bind(test.store);
  const age = (days: number) => {
    test.store.list = async (prefix, options) => {
      if (prefix === 'collections/others/thumbnails/') throw new Error('out of reach');
      const page = await list(prefix, options);
      const lastModified = new Date(Date.now() - days * 86_400_000);
      return { ...page, objects: page.objects.map((object) => ({ ...object, lastModified })) };
    };
  };
  age(2);
  expect(await sweepDerived(await engine.collection('photos'), test.store)).toEqual({ deleted: 1 });
  expect(await thumbnailsOf(test)).toBe(1);
  expect(await results()).toBe(2);
  age(31);
  const failed: string[] = [];
  const swept = await sweepEveryCollection(engine, test.store, (collection) => failed.push(collection));
  expect({ swept, failed, left: await results() }).toEqual({
    swept: { deleted: 2 },
    failed: ['others'],
    left: 0,
  });
  expect(await thumbnailsOf(test)).toBe(1);
});
