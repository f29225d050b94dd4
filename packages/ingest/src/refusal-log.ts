import { createHash } from 'node:crypto';
import type { ObjectStore } from '@lookalike/store';
import { mapConcurrently } from './map-concurrently.ts';

/** A picture that can never be ingested as it is, and why. */
export interface Refusal {
  key: string;
  /** Of the version refused; missing where it was never read. */
  etag?: string;
  code: string;
  message: string;
}

/** Of keys in the store. */
export const refusalsPrefix = 'ingest-refusals/';

/** Remembers refusals in the object store, so that a redelivered message is not reported again. */
export class RefusalLog {
  readonly #objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** Those of `items` whose refusal is not noted. */
  async news<T>(items: readonly T[], refusalOf: (item: T) => Refusal): Promise<T[]> {
    const known = await mapConcurrently(items, 8, async (item) => {
      return (await this.#objects.get(keyOf(refusalOf(item)))) !== undefined;
    });
    return items.filter((_, index) => !known[index]);
  }

  async note(refusals: readonly Refusal[]): Promise<void> {
    await mapConcurrently(refusals, 8, async (refusal) => {
      await this.#objects.put(keyOf(refusal), new TextEncoder().encode(JSON.stringify(refusal)));
    });
  }
}

function keyOf({ key, etag, code }: Refusal): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([key, etag ?? '', code]))
    .digest('hex');
  return `${refusalsPrefix}${hash}.json`;
}
