import { LookalikeError, MemoryStore, type ObjectStore } from '@lookalike/store';
import type { Collection, Item } from './engine.ts';
import { openEngine } from './open-engine.ts';

export function engineOn(store: ObjectStore) {
  return openEngine({ store, commitWindow: 5 });
}

/** In two dimensions, in memory. */
export async function collectionOf(
  items: Item[],
  metric: 'cosine' | 'l2' | 'l1' = 'l2',
): Promise<Collection> {
  const engine = engineOn(new MemoryStore());
  await engine.createCollection('c', { dimension: 2, metric });
  const collection = await engine.collection('c');
  await collection.upsert(items);
  return collection;
}

/** What a call fails with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof LookalikeError ? error.code : String(error);
  }
}

export const vector = (...values: number[]) => Float32Array.from(values);
export const ids = (matches: readonly { id: string }[]) => matches.map((match) => match.id);
