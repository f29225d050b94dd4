import { setTimeout as sleep } from 'node:timers/promises';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { CollectionReader, located } from './collection-reader.ts';
import type { Collection, DeleteResult, Item, UpsertOptions, UpsertResult, WriteResult } from './engine.ts';
import type { Filter } from './filter.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Head } from './head.ts';
import { type HeadState, locate } from './head-state.ts';
import type { Indexer } from './indexer.ts';
import { type CheckedItem, checkId, checkItem, checkSimilarity, checkWhole } from './input-check.ts';
import { newMeter } from './meter.ts';
import { type CheckedFilter, checkFilter } from './query-check.ts';
import { rowsInOrder, rowVersion } from './rows.ts';
import type { Staging } from './staging.ts';
import { UniqueUpsert } from './unique-upsert.ts';

export interface CollectionOptions {
  /** Milliseconds between two commits of one process to one collection. */
  commitWindow: number;
  /** Bytes not yet in segments from which writers must wait. */
  maxTailBytes: number;
}

/** A write call larger than this is refused: it is one commit. */
const maxBatchBytes = 64 * 1024 * 1024;
/** How long a write waits for the indexer (milliseconds). */
const overloadPatience = 20_000;
/** A collection over the commit log. */
export class LogCollection extends CollectionReader implements Collection {
  readonly #head: Head;
  readonly #writer: GroupCommit;
  readonly #options: CollectionOptions;
  readonly #indexer: Indexer | undefined;

  constructor(parts: {
    head: Head;
    store: ObjectStore;
    writer: GroupCommit;
    rangePageSize: number;
    options: CollectionOptions;
    /** Turns what is written into segments, where this process does so. */
    indexer?: Indexer;
    assertOpen: () => void;
  }) {
    super({ ...parts, source: parts.head });
    this.#head = parts.head;
    this.#writer = parts.writer;
    this.#options = parts.options;
    this.#indexer = parts.indexer;
  }

  async upsert(items: readonly Item[], options: UpsertOptions = {}): Promise<WriteResult> {
    this.assertOpen();
    const unlessSimilar = checkSimilarity('unlessSimilar', options.unlessSimilar);
    const { dimension } = this.info;
    // One buffer for all: a buffer an item fragments memory.
    const vectors = new Float32Array(items.length * dimension);
    const checked = items.map((item, i) =>
      this.#check(item, vectors.subarray(i * dimension, (i + 1) * dimension)),
    );
    const bytes = checked.reduce((sum, item) => sum + ('vector' in item ? itemBytes(item) : 0), 0);
    if (bytes > maxBatchBytes)
      throw new LookalikeError(
        'batch-too-large',
        `the batch is about ${bytes} bytes, expected at most ${maxBatchBytes}: send it in parts`,
      );
    if (this.#isOverfull()) await this.#makeRoom();
    const unique = unlessSimilar === undefined ? undefined : new UniqueUpsert(unlessSimilar);
    const { version, result } = await this.#writer.write({
      bytes,
      stage: async (state, staging) => {
        this.assertCurrent(state);
        const results: UpsertResult[] = [];
        for (const [i, item] of checked.entries()) {
          if (!('vector' in item)) {
            results.push(item);
            continue;
          }
          const ifVersion = items[i]?.ifVersion;
          const there = ifVersion === undefined ? undefined : versionOf(item.id, state, staging);
          if (ifVersion !== undefined && (there ?? 0) !== ifVersion) {
            results.push({ id: item.id, status: 'conflict', version: there });
            continue;
          }
          const match = await unique?.findSimilar(item, state, staging);
          if (match !== undefined) results.push({ id: item.id, status: 'similar', match });
          else {
            staging.upsert(item);
            results.push({ id: item.id, status: 'stored' });
          }
        }
        return results;
      },
    });
    this.#indexer?.poke();
    return { version, results: result };
  }

  #isOverfull(): boolean {
    return this.#head.state.tail.bytes > this.#options.maxTailBytes;
  }

  /** Waits while there is too much that is not indexed; throws `overloaded` where that does not end soon. */
  async #makeRoom(): Promise<void> {
    await this.#head.refresh();
    const deadline = performance.now() + overloadPatience;
    while (this.#isOverfull() && performance.now() < deadline) {
      this.#indexer?.poke();
      await sleep(50);
      if (this.#indexer === undefined) await this.#head.refresh();
    }
    if (this.#isOverfull())
      throw new LookalikeError(
        'overloaded',
        `collection ${this.info.name} has more than ${this.#options.maxTailBytes} bytes that are not indexed yet: try again later`,
      );
  }

  /** `vector`: where its vector is copied to, as the caller may change the array before the commit is made. */
  #check(item: Item, vector: Float32Array): CheckedItem | Extract<UpsertResult, { status: 'invalid' }> {
    try {
      const checked = checkItem(item, this.info);
      checkWhole('ifVersion', item.ifVersion, 0, Number.MAX_SAFE_INTEGER, 0);
      vector.set(checked.vector);
      return { ...checked, vector };
    } catch (error) {
      if (!(error instanceof LookalikeError)) throw error;
      const id: unknown = item?.id;
      return {
        id: typeof id === 'string' ? id : '',
        status: 'invalid',
        error: { code: error.code, message: error.message },
      };
    }
  }

  async delete(selection: { ids: readonly string[] } | { filter: Filter }): Promise<DeleteResult> {
    this.assertOpen();
    if ('filter' in selection) return this.#deleteByFilter(selection.filter);
    const { ids } = selection;
    for (const id of ids) checkId(id);
    const { version, result } = await this.#writer.write({
      bytes: ids.reduce((sum, id) => sum + id.length, 0),
      stage: (state, staging) => {
        this.assertCurrent(state);
        let deleted = 0;
        for (const id of ids) {
          const there = staging.changes.has(id)
            ? staging.changes.get(id) !== undefined
            : locate(state, id) !== undefined;
          if (!there) continue;
          staging.delete(id);
          deleted++;
        }
        return deleted;
      },
    });
    this.#indexer?.poke();
    return { version, deleted: result };
  }

  async #deleteByFilter(filter: Filter): Promise<DeleteResult> {
    const checked = checkFilter(filter) as CheckedFilter;
    const { version, result } = await this.#writer.write({
      bytes: 0,
      stage: async (state, staging) => {
        this.assertCurrent(state);
        const doomed: string[] = [];
        for (const [id, item] of staging.changes)
          if (item !== undefined && checked.test(JSON.parse(item.metadataText))) doomed.push(id);
        for await (const { id } of rowsInOrder(state, undefined, checked, newMeter()))
          if (!staging.changes.has(id)) doomed.push(id);
        for (const id of doomed) staging.delete(id);
        return doomed.length;
      },
    });
    this.#indexer?.poke();
    return { version, deleted: result };
  }
}

/** Of the item as the changes staged so far leave it: those will have the number of the next commit. */
function versionOf(id: string, state: HeadState, staging: Staging): number | undefined {
  if (staging.changes.has(id)) return staging.changes.get(id) === undefined ? undefined : state.version + 1;
  const place = located(state, id);
  return place && rowVersion(place);
}

function itemBytes(item: CheckedItem): number {
  return item.vector.byteLength + item.id.length + item.metadataText.length + 8;
}
