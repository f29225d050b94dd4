import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore } from '@lookalike/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from './open-engine.ts';
import { codeOf } from './test-collections.ts';

const hour = 3_600_000;
let cacheFolder: string;
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'lookalike-garbage-'));
});
afterAll(() => rm(cacheFolder, { recursive: true, force: true }));

test('a segment whose files were removed while its process was paused is not committed', async () => {
  let time = 1_700_000_000_000;
  let pause: (() => Promise<unknown>) | undefined;
  class PausedStore extends MemoryStore {
    override async put(...call: Parameters<MemoryStore['put']>): ReturnType<MemoryStore['put']> {
      const stored = await super.put(...call);
      const paused = /\/segments\/.*\/codes/.test(call[0]) ? pause : undefined;
      pause = paused === undefined ? pause : undefined;
      await paused?.();
      return stored;
    }
  }
  const store = new PausedStore({ now: () => time });
  const engine = () =>
    openEngine({ store, now: () => time, commitWindow: 0, maintenance: false, cacheFolder });
  const builder = engine();
  const sweeper = engine();
  await builder.createCollection('c', { dimension: 2, metric: 'l2' });
  const collection = await builder.collection('c');
  await collection.upsert(
    Array.from({ length: 100 }, (_, i) => ({ id: `i${i}`, vector: Float32Array.of(i, 1) })),
  );
  await sweeper.collectGarbage('c');
  let removed = 0;
  pause = async () => {
    time += 30 * hour;
    removed = (await sweeper.collectGarbage('c')).deleted;
  };
  expect(await codeOf(builder.compact('c'))).toBe('write-failed');
  expect(removed).toBeGreaterThan(0);

  const reader = engine();
  const { items } = await (await reader.collection('c')).scan({ limit: 1000, include: ['vector'] });
  expect(items.length).toBe(100);
  // The next one builds it anew.
  await builder.compact('c');
  expect(await collection.stats()).toMatchObject({ items: 100, segments: 1, tailRows: 0 });
  await Promise.all([builder, sweeper, reader].map((one) => one.close()));
});
