import { type Collection, type Metadata, openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import { expect, test } from 'vitest';
import { findDuplicates } from './duplicate-search.ts';

/** Vectors well apart: one direction a number. */
const direction = (n: number) => Float32Array.of(Math.cos(n), Math.sin(n), Math.cos(n * n), Math.sin(n * n));

/** What a search finds in 1500 items and these, where `change` happens between the two pages it reads. */
async function search(
  items: { id: string; vector: Float32Array; metadata?: Metadata }[],
  change: (collection: Collection) => Promise<unknown> = async () => {},
) {
  const engine = openEngine({ store: new MemoryStore(), commitWindow: 0 });
  await engine.createCollection('c', { dimension: 4, metric: 'cosine' });
  const collection = await engine.collection('c');
  const others = Array.from({ length: 1500 }, (_, n) => ({ id: `m${n + 1000}`, vector: direction(n + 1) }));
  await collection.upsert([...items, ...others]);
  let pages = 0;
  const changing: Collection = Object.create(collection, {
    info: { value: collection.info },
    get: { value: collection.get.bind(collection) },
    scan: {
      value: async (request: Parameters<Collection['scan']>[0]) => {
        const page = await collection.scan(request);
        if (++pages === 1) await change(collection);
        return page;
      },
    },
  });
  const found = await findDuplicates(changing, {
    minSimilarity: 0.999_999,
    ledger: { load: async () => undefined, save: async () => {} },
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  expect(pages).toBe(2);
  const { version } = await collection.scan({ limit: 1 });
  await engine.close();
  expect(found.version).toBe(version);
  return found.groups.map(({ keep, items }) => [keep, items.map(({ id }) => id).sort()]);
}

const vector = direction(0.5);

test('an item that is renamed while the collection is read is no duplicate of itself', async () => {
  const rename = async (collection: Collection) => {
    await collection.delete({ ids: ['a-old'] });
    await collection.upsert([{ id: 'z-new', vector }]);
  };
  expect(await search([{ id: 'a-old', vector }], rename)).toEqual([]);
});

test('what is deleted or replaced meanwhile is not kept: another one of the group is', async () => {
  const ids = ['a-first', 'b-second', 'z-third', 'z-fourth', 'c-replaced'];
  const change = async (collection: Collection) => {
    await collection.delete({ ids: ['a-first'] });
    await collection.upsert([{ id: 'c-replaced', vector: direction(0.7) }]);
  };
  const items = ids.map((id) => ({ id, vector }));
  expect(await search(items, change)).toEqual([['b-second', ['b-second', 'z-fourth', 'z-third']]]);
});

test.each<[string, string, Metadata, Metadata]>([
  ['more of its frames', 'b', { bytes: 9, frames: 1 }, { bytes: 1, frames: 2 }],
  ['a higher resolution', 'b', { bytes: 9, width: 10 }, { bytes: 1, width: 20 }],
  ['much more sharpness', 'b', { bytes: 9, sharpness: 0.1 }, { bytes: 1, sharpness: 0.5 }],
  ['more bytes', 'b', { bytes: 1 }, { bytes: 9 }],
  ['nothing more, for it is the first', 'a', {}, {}],
])('is kept what has %s', async (_, keep, a, b) => {
  const pictureOf = (facts: Metadata) => ({ picture: { width: 10, height: 10, frames: 1, ...facts } });
  const groups = await search([
    { id: 'a', vector, metadata: pictureOf(a) },
    { id: 'b', vector, metadata: pictureOf(b) },
  ]);
  expect(groups).toEqual([[keep, ['a', 'b']]]);
});
