import { setTimeout as sleep } from 'node:timers/promises';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { encodeCursor } from './cursor.ts';
import { similarity } from './distance.ts';
import type {
  Collection,
  CollectionInfo,
  CollectionStats,
  DeleteResult,
  Item,
  Match,
  QueryRequest,
  QueryResult,
  RecallReport,
  ScanRequest,
  StoredItem,
  UpsertOptions,
  UpsertResult,
  WriteResult,
} from './engine.ts';
import type { Filter } from './filter.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Head } from './head.ts';
import { type HeadState, locate } from './head-state.ts';
import type { Indexer } from './indexer.ts';
import { type CheckedItem, checkId, checkItem, checkSimilarity, checkWhole } from './input-check.ts';
import { type Meter, newMeter } from './meter.ts';
import { Nearest } from './nearest.ts';
import {
  type CheckedFilter,
  type CheckedQuery,
  checkFilter,
  checkInclude,
  checkQuery,
  maxEf,
} from './query-check.ts';
import { measureRecall } from './recall.ts';
import { receipt } from './receipt.ts';
import { countRows, type Located, readRows, rowsInOrder, rowVersion, sampleIds, vectorsOf } from './rows.ts';
import { defaultEf, type Source, search } from './search.ts';
import type { Staging } from './staging.ts';
import { describeState } from './statistics.ts';
import { UniqueUpsert } from './unique-upsert.ts';

export interface CollectionOptions {
  /** Milliseconds between two commits of one process to one collection. */
  commitWindow: number;
  /** Matches a page of a range search. */
  rangePageSize: number;
  /** Bytes not yet in segments from which writers must wait. */
  maxTailBytes: number;
}

/** A write call larger than this is refused: it is one commit. */
const maxBatchBytes = 64 * 1024 * 1024;
/** How long a write waits for the indexer (milliseconds). */
const overloadPatience = 20_000;
/** An eventual reader refreshes in the background when its state is older (milliseconds). */
const eventualAge = 1000;

/** A collection over the commit log. */
export class LogCollection implements Collection {
  readonly info: CollectionInfo;
  readonly #incarnation: number;
  readonly #head: Head;
  readonly #store: ObjectStore;
  readonly #writer: GroupCommit;
  readonly #options: CollectionOptions;
  readonly #indexer: Indexer | undefined;
  readonly #assertOpen: () => void;

  constructor(parts: {
    head: Head;
    store: ObjectStore;
    writer: GroupCommit;
    options: CollectionOptions;
    /** Turns what is written into segments, where this process does so. */
    indexer?: Indexer;
    assertOpen: () => void;
  }) {
    const { head } = parts;
    this.#head = head;
    this.#store = parts.store;
    this.#writer = parts.writer;
    this.#options = parts.options;
    this.#indexer = parts.indexer;
    this.#assertOpen = parts.assertOpen;
    this.info = head.state.info;
    this.#incarnation = head.state.incarnation;
  }

  async upsert(items: readonly Item[], options: UpsertOptions = {}): Promise<WriteResult> {
    this.#assertOpen();
    const unlessSimilar = checkSimilarity('unlessSimilar', options.unlessSimilar);
    const checked = items.map((item) => this.#check(item));
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
        this.#assertCurrent(state);
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

  #check(item: Item): CheckedItem | Extract<UpsertResult, { status: 'invalid' }> {
    try {
      // A copy: the caller may change the array before the commit is made.
      const checked = checkItem(item, this.info);
      checkWhole('ifVersion', item.ifVersion, 0, Number.MAX_SAFE_INTEGER, 0);
      return { ...checked, vector: checked.vector.slice() };
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
    this.#assertOpen();
    if ('filter' in selection) return this.#deleteByFilter(selection.filter);
    const { ids } = selection;
    for (const id of ids) checkId(id);
    const { version, result } = await this.#writer.write({
      bytes: ids.reduce((sum, id) => sum + id.length, 0),
      stage: (state, staging) => {
        this.#assertCurrent(state);
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
        this.#assertCurrent(state);
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

  async get(
    ids: readonly string[],
    options: { include?: readonly ('metadata' | 'vector')[]; minVersion?: number } = {},
  ): Promise<(StoredItem | undefined)[]> {
    for (const id of ids) checkId(id);
    const include = checkInclude(options.include, ['metadata', 'vector']);
    const meter = newMeter();
    const state = await this.#read(options, meter);
    const places = ids.map((id) => located(state, id));
    const found = places.filter((place) => place !== undefined);
    const contents = await readRows(found, { ...include, metadata: true }, meter);
    let next = 0;
    return places.map((place, i) => {
      if (place === undefined) return undefined;
      const { metadata = {}, vector } = contents[next++] ?? {};
      return { id: ids[i] as string, version: rowVersion(place), metadata, ...(vector && { vector }) };
    });
  }

  async query(request: QueryRequest): Promise<QueryResult> {
    const [result] = await this.queryBatch([request]);
    return result as QueryResult;
  }

  async queryBatch(requests: readonly QueryRequest[]): Promise<QueryResult[]> {
    const checked = requests.map((request) => checkQuery(request, this.info, this.#options.rangePageSize));
    const meter = newMeter();
    const started = performance.now();
    const state = await this.#read(
      {
        consistency: requests.every((request) => request.consistency === 'eventual') ? 'eventual' : 'strong',
        minVersion: Math.max(0, ...requests.map((request) => minVersionOf(request))),
      },
      meter,
    );
    const synced = performance.now() - started;
    const results: QueryResult[] = [];
    for (const [i, query] of checked.entries())
      results.push(await this.#answer(query, state, requests[i]?.explain === true, meter, synced));
    return results;
  }

  async #answer(
    query: CheckedQuery,
    state: HeadState,
    explain: boolean,
    syncCost: Meter,
    synced: number,
  ): Promise<QueryResult> {
    const started = performance.now();
    const meter = { ...syncCost };
    const { version, info } = state;
    const nearest = new Nearest<Source>({
      metric: info.metric,
      // One more to see whether more follow, and room for the item itself.
      limit: query.limit + (query.paged ? 1 : 0) + (query.id === undefined ? 0 : 1),
      minSimilarity: query.minSimilarity,
      after: query.after,
    });
    const vector = query.vector ?? (await this.#vectorOf(state, query.id as string, meter));
    const { filter, ef } = query;
    const trace = await search(
      state,
      { vector, nearest, filter, exact: query.exact || query.paged, ef },
      meter,
    );
    const found = nearest.sorted().filter(({ id }) => id !== query.id);
    const kept = found.slice(0, query.limit);
    const searched = performance.now();
    const contents = await readRows(kept, query.include, meter);
    const matches = kept.map(
      ({ id, distance }, i): Match => ({
        id,
        distance,
        similarity: similarity(info.metric, distance),
        ...contents[i],
      }),
    );
    const last = matches.at(-1);
    const result: QueryResult = { matches, version };
    if (query.paged && found.length > query.limit && last !== undefined) result.cursor = encodeCursor(last);
    if (explain) {
      const milliseconds = { log: synced, search: searched - started, read: performance.now() - searched };
      result.receipt = receipt(state, trace, meter, syncCost, milliseconds);
    }
    return result;
  }

  async #vectorOf(state: HeadState, id: string, meter: Meter): Promise<Float32Array> {
    const place = located(state, id);
    if (place === undefined)
      throw new LookalikeError(
        'unknown-item',
        `no item ${JSON.stringify(id)} in collection ${this.info.name}`,
      );
    const [vector] = await vectorsOf(place.source, [place.row], meter);
    return vector as Float32Array;
  }

  async scan(request: ScanRequest = {}): Promise<{ items: StoredItem[]; version: number; next?: string }> {
    const limit = checkWhole('limit', request.limit, 1, 10_000, 100);
    const filter = checkFilter(request.filter);
    const include = checkInclude(request.include, ['metadata']);
    if (request.after !== undefined) checkId(request.after);
    const meter = newMeter();
    const state = await this.#read(request, meter);
    const rows: (Located & { id: string })[] = [];
    let more = false;
    for await (const row of rowsInOrder(state, request.after, filter, meter)) {
      more = rows.length === limit;
      if (more) break;
      rows.push(row);
    }
    const contents = await readRows(rows, { ...include, metadata: true }, meter);
    const items = rows.map((row, i): StoredItem => {
      const { metadata = {}, vector } = contents[i] ?? {};
      return { id: row.id, version: rowVersion(row), metadata, ...(vector && { vector }) };
    });
    return { items, version: state.version, ...(more && { next: rows.at(-1)?.id as string }) };
  }

  async count(filter?: Filter): Promise<{ count: number; version: number }> {
    const checked = checkFilter(filter);
    const state = await this.#read({});
    return { count: await countRows(state, checked, newMeter()), version: state.version };
  }

  async stats(): Promise<CollectionStats> {
    return describeState(await this.#read({}), this.#store);
  }

  async recall(
    options: { sample?: number; k?: number; ef?: number; seed?: number } = {},
  ): Promise<RecallReport> {
    const sample = checkWhole('sample', options.sample, 1, 10_000, 100);
    const k = checkWhole('k', options.k, 1, 1000, 10);
    const ef = checkWhole('ef', options.ef, 1, maxEf, defaultEf);
    const state = await this.#read({});
    // Of an index that is still being loaded the measure would be the flat search's.
    for (const { segment } of state.segments) await segment.warm();
    return measureRecall(this, sampleIds(state, sample, options.seed ?? 1), { k, ef });
  }

  /** The state to answer from. Throws where the collection was dropped, or `minVersion` does not exist. */
  async #read(
    options: { consistency?: 'strong' | 'eventual'; minVersion?: number },
    meter: Meter = newMeter(),
  ): Promise<HeadState> {
    this.#assertOpen();
    const minVersion = minVersionOf(options);
    const head = this.#head;
    if (options.consistency !== 'eventual' || head.state.version < minVersion) {
      const cost = await head.refresh();
      meter.requests += cost.requests;
      meter.bytes += cost.bytes;
    } else if (head.age > eventualAge) {
      // For the next ones; a store that fails will tell a strong reader.
      head.refresh().catch(() => undefined);
    }
    const { state } = head;
    this.#assertCurrent(state);
    if (state.version < minVersion)
      throw new LookalikeError(
        'unknown-version',
        `collection ${this.info.name} is at version ${state.version}, and minVersion is ${minVersion}`,
      );
    return state;
  }

  #assertCurrent(state: HeadState): void {
    if (state.incarnation !== this.#incarnation)
      throw new LookalikeError('unknown-collection', `collection ${this.info.name} was dropped`);
  }
}

function minVersionOf(options: { minVersion?: number }): number {
  return checkWhole('minVersion', options.minVersion, 0, Number.MAX_SAFE_INTEGER, 0);
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

function located(state: HeadState, id: string): Located | undefined {
  const place = locate(state, id);
  if (place === undefined) return undefined;
  return { source: 'tail' in place ? place.tail : place.live, row: place.row };
}
