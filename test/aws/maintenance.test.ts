import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { indexBatch } from '../../functions/src/maintenance.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'lookalike-maintenance-'));
afterAll(() => rmSync(cacheFolder, { recursive: true, force: true }));

const onFailure = (collection: string, error: unknown) => {
  throw new Error(`failed at ${collection}`, { cause: error });
};
const message = (body: unknown) => ({ messageId: String(body), body: JSON.stringify(body) });
const ofCommit = (version: number) =>
  message({ key: `collections/c/log/${String(version).padStart(20, '0')}` });

let engine: ReturnType<typeof openEngine>;
beforeEach(async () => {
  engine = openEngine({ store: new MemoryStore(), commitWindow: 0, maintenance: false, cacheFolder });
  await engine.createCollection('c', { dimension: 2, metric: 'l2' });
  return () => engine.close();
});

async function filled(count: number) {
  const collection = await engine.collection('c');
  const items = Array.from({ length: count }, (_, i) => ({ id: `i${i}`, vector: Float32Array.of(i, 1) }));
  const { version } = await collection.upsert(items);
  return { collection, version };
}

describe('messages of commits', () => {
  test('index many rows, and leave few to the sweep', async () => {
    const few = await filled(999);
    await indexBatch(engine, [ofCommit(few.version)], { onFailure });
    expect(await few.collection.stats()).toMatchObject({ segments: 0, tailRows: 999 });
    const { collection, version } = await filled(1000);
    await indexBatch(engine, [ofCommit(version)], { onFailure });
    expect(await collection.stats()).toMatchObject({ segments: 1, tailRows: 0, tailCommits: 0 });
  });

  test('index many commits, deletes alone too, and deleted rows are gone', async () => {
    const { collection, version } = await filled(2000);
    await indexBatch(engine, [ofCommit(version)], { onFailure });
    for (let i = 0; i < 499; i++) await collection.delete({ ids: [`i${i}`] });
    await indexBatch(engine, [ofCommit(version + 1)], { onFailure });
    expect(await collection.stats()).toMatchObject({ tailRows: 0, tailCommits: 499, deletedRows: 499 });
    const last = await collection.delete({ ids: Array.from({ length: 100 }, (_, i) => `i${500 + i}`) });
    await indexBatch(engine, [ofCommit(last.version)], { onFailure });
    expect(await collection.stats()).toMatchObject({ items: 1401, tailCommits: 0, deletedRows: 0 });
  });

  test('that name no collection are dropped, and those beside them are not', async () => {
    const { collection, version } = await filled(1000);
    const bad = ['', 'not JSON', 'null', '[]', '7', '{}', '{"key":3}', '{"key":"pictures/a.jpg"}'];
    const messages = bad.map((body, i) => ({ messageId: `bad-${i}`, body }));
    const gone = message({ collection: 'gone' });
    expect(await indexBatch(engine, [...messages, gone, ofCommit(version)], { onFailure })).toEqual([]);
    expect(await collection.stats()).toMatchObject({ segments: 1, tailRows: 0 });
  });

  test('are delivered again where the work failed', async () => {
    await filled(1);
    await engine.close();
    const failures: string[] = [];
    const failed = await indexBatch(engine, [message({ collection: 'c' }), ofCommit(2)], {
      onFailure: (collection) => failures.push(collection),
    });
    expect(failed).toHaveLength(2);
    expect(failures).toEqual(['c']);
  });
});
