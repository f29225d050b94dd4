import { MemoryStore } from '@lookalike/store';
import { Table, tableFromIPC, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { exportArrow, importArrow } from './arrow-exchange.ts';
import type { Item } from './engine.ts';
import { openEngine } from './open-engine.ts';

async function emptyCollection(dimension = 3) {
  const engine = openEngine({ store: new MemoryStore(), commitWindow: 0, maintenance: false });
  await engine.createCollection('c', { dimension, metric: 'l2' });
  return { engine, collection: await engine.collection('c') };
}

async function* parts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const items: Item[] = Array.from({ length: 2345 }, (_, i) => ({
  id: `id-${i}-ü`,
  vector: Float32Array.of(i, 1 / (i + 1), -i),
  metadata: { i, text: '日本', nested: { a: [1, null] } },
}));

describe('Arrow', () => {
  test('out and in again is the same collection, and other tools can read it', async () => {
    const from = await emptyCollection();
    await from.collection.upsert(items);
    await from.engine.compact('c');
    await from.collection.delete({ ids: ['id-7-ü'] });
    const bytes = await whole(exportArrow(from.collection));
    const table = tableFromIPC(bytes);
    expect(table.numRows).toBe(2344);
    expect(table.schema.fields.map(({ name }) => name)).toEqual(['id', 'version', 'metadata', 'vector']);

    const to = await emptyCollection();
    expect(await importArrow(to.collection, parts(bytes, 10_001))).toEqual({
      rows: 2344,
      stored: 2344,
      refused: [],
    });
    const [a, b] = await Promise.all(
      [from, to].map(({ collection }) => collection.scan({ limit: 10_000, include: ['vector'] })),
    );
    const content = (page: typeof a) =>
      page?.items.map(({ id, metadata, vector }) => ({ id, metadata, vector }));
    expect(content(b)).toEqual(content(a));
  });

  test('an empty collection is an empty stream', async () => {
    const { collection } = await emptyCollection();
    const bytes = await whole(exportArrow(collection));
    expect(tableFromIPC(bytes).numRows).toBe(0);
    expect(await importArrow(collection, parts(bytes, 7))).toEqual({ rows: 0, stored: 0, refused: [] });
  });

  test('bad rows are refused one by one, bad streams as a whole', async () => {
    const { collection } = await emptyCollection(4);
    const good = await emptyCollection(3);
    await good.collection.upsert(items.slice(0, 2));
    const wrong = await whole(exportArrow(good.collection));
    const report = await importArrow(collection, parts(wrong, 1000));
    expect(report).toMatchObject({
      rows: 2,
      stored: 0,
      refused: [{ error: { code: 'invalid-vector' } }, {}],
    });
    const other = tableToIPC(new Table({ name: vectorFromArray(['a'], new Utf8()) }));
    for (const bad of [
      Buffer.from('no arrow at all, but text'),
      Buffer.from('garbage'),
      Buffer.alloc(0),
      Buffer.alloc(64),
      other,
      wrong.subarray(0, wrong.length - 60),
    ])
      await expect(importArrow(collection, parts(bad, 64))).rejects.toMatchObject({ code: 'invalid-arrow' });
  });
});
