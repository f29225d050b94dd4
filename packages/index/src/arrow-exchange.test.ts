import { MemoryStore } from '@lookalike/store';
import { Table, tableFromIPC, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { exportArrow, importArrow } from './arrow-exchange.ts';
import { maxArrowBatchBytes } from './arrow-framing.ts';
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

async function chunks(stream: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const chunk of stream) found.push(Buffer.from(chunk));
  return found;
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await chunks(stream));
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

  test('a file is read, whether it has its schema at the beginning or at the end only', async () => {
    const { collection } = await emptyCollection();
    await collection.upsert(items.slice(0, 5));
    const stream = await whole(exportArrow(collection));
    const atEnd = tableToIPC(tableFromIPC(stream), 'file');
    const atBeginning = Buffer.concat([Buffer.from('ARROW1\0\0'), stream, Buffer.from('the footer')]);
    for (const file of [atEnd, atBeginning]) {
      expect(Buffer.from(file.subarray(0, 6)).toString()).toBe('ARROW1');
      const to = await emptyCollection();
      expect(await importArrow(to.collection, parts(file, 11))).toEqual({ rows: 5, stored: 5, refused: [] });
    }
  });

  test.each(['stream', 'file'])('a record batch of a %s that says it is huge is not read', async (kind) => {
    const { collection } = await emptyCollection();
    await collection.upsert(items.slice(0, 1));
    const [schema, batch] = (await chunks(exportArrow(collection))) as [Buffer, Buffer];
    const bodyStart = 8 + batch.readInt32LE(4);
    const length = BigInt(batch.length - bodyStart);
    for (let at = 8; at <= bodyStart - 8; at++)
      if (batch.readBigInt64LE(at) === length) batch.writeBigInt64LE(BigInt(maxArrowBatchBytes + 1), at);
    let pulled = 0;
    async function* source() {
      if (kind === 'file') yield Buffer.from('ARROW1\0\0');
      yield schema;
      yield batch;
      for (; pulled < 1000; pulled++) yield new Uint8Array(1 << 20);
    }
    await expect(importArrow(collection, source())).rejects.toMatchObject({
      code: 'batch-too-large',
      message: expect.stringContaining(`${maxArrowBatchBytes + 1} bytes`),
    });
    expect(pulled).toBe(0);
    expect((await collection.count()).count).toBe(1);
  });

  test('a file that has to be read as a whole has a largest size', async () => {
    const { collection } = await emptyCollection();
    let pulled = 0;
    async function* source() {
      yield Buffer.from('ARROW1\0\0');
      const part = new Uint8Array(1 << 20);
      for (; pulled < 300; pulled++) yield part;
    }
    await expect(importArrow(collection, source())).rejects.toMatchObject({ code: 'batch-too-large' });
    expect(pulled).toBeLessThanOrEqual(maxArrowBatchBytes >> 20);
  });
});
