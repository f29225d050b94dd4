import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { encodeCursor } from './cursor.ts';
import { similarity } from './distance.ts';
import type {
  Collection,
  CollectionInfo,
  CollectionStats,
  Match,
  QueryRequest,
  QueryResult,
  RecallReport,
  ScanRequest,
  StoredItem,
} from './engine.ts';
import type { Filter } from './filter.ts';
import { type HeadState, locate } from './head-state.ts';
import { checkId, checkWhole } from './input-check.ts';
import { type Meter, newMeter } from './meter.ts';
import { Nearest } from './nearest.ts';
import { type CheckedQuery, checkFilter, checkInclude, checkQuery, maxEf } from './query-check.ts';
import { measureRecall } from './recall.ts';
import { receipt } from './receipt.ts';
import { countRows, type Located, readRows, rowsInOrder, rowVersion, sampleIds, vectorsOf } from './rows.ts';
import { defaultEf, type Source, search } from './search.ts';
import { describeState } from './statistics.ts';

/** What is asked of a collection, whoever may write to it. */
export type Reading = Omit<Collection, 'upsert' | 'delete'>;

/** Where the newest known state comes from. */
export interface StateSource {
  readonly state: HeadState;
  /** Milliseconds since the state was last known to be the newest. */
  readonly age: number;
  /** Resolves when `state` is the newest; what finding that cost. */
  refresh(): Promise<Meter>;
}

/** An eventual reader refreshes in the background when its state is older (milliseconds). */
const eventualAge = 1000;

/** Answers from the states of one collection. */
export class CollectionReader implements Reading {
  readonly info: CollectionInfo;
  readonly #incarnation: number;
  readonly #source: StateSource;
  readonly #store: ObjectStore;
  readonly #rangePageSize: number;
  readonly #assertOpen: () => void;

  constructor(parts: {
    source: StateSource;
    store: ObjectStore;
    /** Matches a page of a range search. */
    rangePageSize: number;
    assertOpen: () => void;
  }) {
    const { state } = parts.source;
    this.#source = parts.source;
    this.#store = parts.store;
    this.#rangePageSize = parts.rangePageSize;
    this.#assertOpen = parts.assertOpen;
    this.info = state.info;
    this.#incarnation = state.incarnation;
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
    const checked = requests.map((request) => checkQuery(request, this.info, this.#rangePageSize));
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
    const source = this.#source;
    if (options.consistency !== 'eventual' || source.state.version < minVersion) {
      const cost = await source.refresh();
      meter.requests += cost.requests;
      meter.bytes += cost.bytes;
    } else if (source.age > eventualAge) {
      // For the next ones; a store that fails will tell a strong reader.
      source.refresh().catch(() => undefined);
    }
    const { state } = source;
    this.assertCurrent(state);
    if (state.version < minVersion)
      throw new LookalikeError(
        'unknown-version',
        `collection ${this.info.name} is at version ${state.version}, and minVersion is ${minVersion}`,
      );
    return state;
  }

  /** Throws where the engine is closed. */
  protected assertOpen(): void {
    this.#assertOpen();
  }

  /** Throws where the state is of another collection of that name. */
  protected assertCurrent(state: HeadState): void {
    if (state.incarnation !== this.#incarnation)
      throw new LookalikeError('unknown-collection', `collection ${this.info.name} was dropped`);
  }
}

function minVersionOf(options: { minVersion?: number }): number {
  return checkWhole('minVersion', options.minVersion, 0, Number.MAX_SAFE_INTEGER, 0);
}

/** Where an item stands. */
export function located(state: HeadState, id: string): Located | undefined {
  const place = locate(state, id);
  if (place === undefined) return undefined;
  return { source: 'tail' in place ? place.tail : place.live, row: place.row };
}
