import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore, type ObjectStore } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import { BuildPool } from './build-pool.ts';
import type { WriteBatch } from './commit.ts';
import { Head } from './head.ts';
import { locate } from './head-state.ts';
import { Indexer } from './indexer.ts';
import { LocalFiles } from './local-files.ts';
import { MemoryBudget } from './memory-budget.ts';

const info = { name: 'c', dimension: 1, metric: 'l2', hnsw: { m: 4, efConstruction: 20 } } as const;

function open(store: ObjectStore, pool = new BuildPool({ maxBytes: 2 ** 30 })) {
  const space = {
    store,
    local: new LocalFiles(store, { folder: join(tmpdir(), 'lookalike-head-cache'), maxBytes: 1e9 }),
    budget: new MemoryBudget(1e9),
  };
  const head = new Head(space, 'c', { grace: 1e9, now: Date.now });
  return { head, indexer: new Indexer(head, space, pool, {}) };
}

function batch(ids: string[], value: number, deletes: string[] = []): WriteBatch {
  return {
    ids,
    vectors: new Float32Array(ids.length).fill(value),
    metadata: ids.map(() => '{}'),
    deletes,
  };
}

/** A pool in which another process writes while a segment is being built. */
class InterruptedPool extends BuildPool {
  interruption: (() => Promise<unknown>) | undefined;

  override async build(job: Parameters<BuildPool['build']>[0]) {
    const built = await super.build(job);
    await this.interruption?.();
    this.interruption = undefined;
    return built;
  }
}

/** Two processes at one new collection; the first builds through the pool. */
async function twoProcesses() {
  const store = new MemoryStore();
  const pool = new InterruptedPool({ maxBytes: 2 ** 30 });
  const one = open(store, pool);
  const other = open(store);
  await one.head.refresh();
  await one.head.commit(() => ({ kind: 'create', info }));
  return { store, pool, one, other };
}

describe('rows that die while they are being indexed', () => {
  test('are dead in the segment that comes of it, for everyone', async () => {
    const { store, pool, one, other } = await twoProcesses();
    await one.head.commit(() => ({ kind: 'write', batch: batch([...'abcdefghij'], 1) }));
    await other.head.refresh();
    pool.interruption = () => other.head.commit(() => ({ kind: 'write', batch: batch(['a'], 2, ['b']) }));
    await one.indexer.run();
    await other.head.refresh();
    const late = open(store);
    await late.head.refresh();
    for (const { head } of [one, other, late]) {
      const { state } = head;
      expect(state.segments.map(({ segment, deadCount }) => [segment.rows, deadCount])).toEqual([[10, 2]]);
      expect(state.items).toBe(9);
      expect(locate(state, 'b')).toBeUndefined();
      expect(locate(state, 'a')).toHaveProperty('tail');
      expect(locate(state, 'c')).toHaveProperty('live');
      expect(state.liveHash.toString()).toBe(one.head.state.liveHash.toString());
    }
  });

  test('also when segments are merged', async () => {
    const { pool, one, other } = await twoProcesses();
    for (const ids of ['abcd', 'ef']) {
      await one.head.commit(() => ({ kind: 'write', batch: batch([...ids], 1) }));
      await one.indexer.run();
    }
    await other.head.refresh();
    pool.interruption = () => other.head.commit(() => ({ kind: 'write', batch: batch(['a'], 2, ['e']) }));
    await one.indexer.run({ full: true });
    await other.head.refresh();
    for (const { head } of [one, other]) {
      const [merged] = head.state.segments;
      expect(head.state.segments).toHaveLength(1);
      expect([merged?.segment.rows, merged?.deadCount]).toEqual([6, 2]);
      expect(head.state.items).toBe(5);
      expect(locate(head.state, 'e')).toBeUndefined();
    }
  });

  test('also when two indexers do the same work', async () => {
    const { store, pool, one, other } = await twoProcesses();
    await one.head.commit(() => ({ kind: 'write', batch: batch(['a', 'b', 'c', 'd'], 1) }));
    await one.indexer.run();
    await one.head.commit(() => ({ kind: 'write', batch: batch(['e', 'f'], 1) }));
    await one.indexer.run();
    await other.head.refresh();
    pool.interruption = async () => {
      await other.head.commit(() => ({ kind: 'write', batch: batch(['a'], 2, ['e', 'f']) }));
      await other.indexer.run({ full: true });
    };
    await one.indexer.run({ full: true });
    for (const { head } of [one, other, open(store)]) {
      await head.refresh();
      const { state } = head;
      expect(state.items).toBe(4);
      for (const id of ['e', 'f']) expect(locate(state, id)).toBeUndefined();
      for (const id of ['a', 'b', 'c', 'd']) expect(locate(state, id)).toBeDefined();
      const rows = state.segments.reduce((sum, { segment, deadCount }) => sum + segment.rows - deadCount, 0);
      expect(rows + state.tail.live.size).toBe(4);
    }
  });
});
