import { LookalikeError, MemoryStore, type ObjectBody, type PutOptions } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import { CommitLog } from './commit-log.ts';
import { newMeter } from './meter.ts';
import { openEngine } from './open-engine.ts';

/** A store whose puts fail as told: before they take effect, or after (the answer is lost). */
class FailingStore extends MemoryStore {
  failures: ('before' | 'after' | 'after, as exists')[] = [];

  override async put(key: string, body: ObjectBody, options?: PutOptions): Promise<{ etag: string }> {
    const failure = this.failures.shift();
    if (failure === 'before') throw new Error('connection refused');
    const result = await super.put(key, body, options);
    if (failure === 'after') throw new Error('connection reset');
    if (failure === 'after, as exists')
      throw new LookalikeError('object-exists', 'a retry of the SDK got 412');
    return result;
  }
}

describe('a commit', () => {
  test.each([[['before']], [['after']], [['after, as exists']], [['before', 'before', 'after']]] as const)(
    'is committed once, whatever becomes of its answers: %s',
    async (failures) => {
      const store = new FailingStore();
      const log = new CommitLog(store, 'c');
      store.failures = [...failures];
      expect(await log.append(1, { id: 'mine', kind: 'drop' }, newMeter())).toBe(true);
      expect((await store.list('')).objects).toHaveLength(1);
    },
  );

  test('knows a lost race from a lost answer', async () => {
    const store = new FailingStore();
    const log = new CommitLog(store, 'c');
    await log.append(1, { id: 'theirs', kind: 'drop' }, newMeter());
    store.failures = ['before'];
    expect(await log.append(1, { id: 'mine', kind: 'drop' }, newMeter())).toBe(false);
    expect(await log.append(2, { id: 'mine', kind: 'drop' }, newMeter())).toBe(true);
  });

  test('that cannot be made is an error, and the next write works', async () => {
    const store = new FailingStore();
    const engine = openEngine({ store, commitWindow: 0 });
    await engine.createCollection('c', { dimension: 1, metric: 'l2' });
    const collection = await engine.collection('c');
    const item = (id: string) => ({ id, vector: Float32Array.of(1) });
    store.failures = Array.from({ length: 5 }, () => 'before');
    await expect(collection.upsert([item('a')])).rejects.toMatchObject({ code: 'write-failed' });
    await collection.upsert([item('b')]);
    expect((await collection.scan()).items.map(({ id }) => id)).toEqual(['b']);
  });

  test('costs one put, and finding nothing new costs one request', async () => {
    const store = new MemoryStore();
    const log = new CommitLog(store, 'c');
    const meter = newMeter();
    await log.append(1, { id: 'x', kind: 'drop' }, meter);
    expect(meter.requests).toBe(1);
    const found = [];
    for await (const entry of log.after(1, meter)) found.push(entry);
    expect(found).toEqual([]);
    expect(meter.requests).toBe(2);
  });

  test('missing among later ones is an error that names it', async () => {
    const store = new MemoryStore();
    const log = new CommitLog(store, 'c');
    for (let version = 1; version <= 5; version++)
      await log.append(version, { id: 'x', kind: 'drop' }, newMeter());
    await store.delete(['collections/c/log/00000000000000000003']);
    const reading = async () => {
      for await (const _ of log.after(0, newMeter()));
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'missing-object',
      message: expect.stringContaining('00000000000000000003'),
    });
  });
});
