import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { encodeCursor } from './cursor.ts';
import type {
  Collection,
  CollectionInfo,
  CollectionStats,
  DeleteResult,
  Item,
  Match,
  Metadata,
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
import type { Head, HeadState } from './head.ts';
import { type CheckedItem, checkId, checkItem, checkSimilarity, checkWhole } from './input-check.ts';
import { logPrefix } from './log-keys.ts';
import { type Meter, newMeter } from './meter.ts';
import { type CheckedQuery, checkFilter, checkInclude, checkQuery, maxEf } from './query-check.ts';
import { measureRecall } from './recall.ts';
import { search } from './search.ts';
import type { Staging } from './staging.ts';
import { UniqueUpsert } from './unique-upsert.ts';

export interface CollectionOptions {
  /** Milliseconds between two commits of one process to one collection. */
  commitWindow: number;
  /** Matches a page of a range search. */
  rangePageSize: number;
}

/** A write call larger than this is refused: it is one commit. */
const maxBatchBytes = 64 * 1024 * 1024;
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
  readonly #assertOpen: () => void;

  constructor(
    head: Head,
    store: ObjectStore,
    writer: GroupCommit,
    options: CollectionOptions,
    assertOpen: () => void,
  ) {
    this.#head = head;
    this.#store = store;
    this.#writer = writer;
    this.#options = options;
    this.#assertOpen = assertOpen;
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
    return { version, results: result };
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
            : state.tail.live.has(id);
          if (!there) continue;
          staging.delete(id);
          deleted++;
        }
        return deleted;
      },
    });
    return { version, deleted: result };
  }

  async #deleteByFilter(filter: Filter): Promise<DeleteResult> {
    const { test } = checkFilter(filter) as { test: (metadata: Metadata) => boolean };
    const { version, result } = await this.#writer.write({
      bytes: 0,
      stage: (state, staging) => {
        this.#assertCurrent(state);
        const doomed: string[] = [];
        for (const [id, item] of staging.changes)
          if (item !== undefined && test(JSON.parse(item.metadataText))) doomed.push(id);
        for (const [id, row] of state.tail.live)
          if (!staging.changes.has(id) && test(state.tail.parsedMetadata(row))) doomed.push(id);
        for (const id of doomed) staging.delete(id);
        return doomed.length;
      },
    });
    return { version, deleted: result };
  }

  async get(
    ids: readonly string[],
    options: { include?: readonly ('metadata' | 'vector')[]; minVersion?: number } = {},
  ): Promise<(StoredItem | undefined)[]> {
    for (const id of ids) checkId(id);
    const include = checkInclude(options.include, ['metadata', 'vector']);
    const { tail } = await this.#read(options);
    return ids.map((id) => {
      const row = tail.live.get(id);
      return row === undefined ? undefined : storedItem(tail, row, include.vector);
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
      results.push(this.#answer(query, state, requests[i]?.explain === true, meter, synced));
    return results;
  }

  #answer(
    query: CheckedQuery,
    state: Readonly<HeadState>,
    explain: boolean,
    meter: Meter,
    synced: number,
  ): QueryResult {
    const started = performance.now();
    const { tail, version } = state;
    const found = search(state, query);
    const matches = found.matches.map(({ id, distance, similarity, row }) => {
      const match: Match = { id, distance, similarity };
      if (query.include.metadata) match.metadata = JSON.parse(tail.metadata[row] as string);
      if (query.include.vector) match.vector = tail.vector(row).slice();
      return match;
    });
    const last = matches.at(-1);
    return {
      matches,
      version,
      ...(query.paged && found.more && last && { cursor: encodeCursor(last) }),
      ...(explain && {
        receipt: {
          version,
          exact: true,
          warm: meter.requests <= 1,
          segments: [],
          rowsScanned: found.rowsScanned,
          tailRows: tail.live.size,
          store: { ...meter },
          milliseconds: { log: synced, search: performance.now() - started },
        },
      }),
    };
  }

  async scan(request: ScanRequest = {}): Promise<{ items: StoredItem[]; version: number; next?: string }> {
    const limit = checkWhole('limit', request.limit, 1, 10_000, 100);
    const filter = checkFilter(request.filter);
    const include = checkInclude(request.include, ['metadata']);
    if (request.after !== undefined) checkId(request.after);
    const { tail, version } = await this.#read(request);
    const items: StoredItem[] = [];
    for (const row of tail.rowsAfter(request.after)) {
      if (!tail.isLive(row, version)) continue;
      if (filter !== undefined && !filter.test(tail.parsedMetadata(row))) continue;
      if (items.length === limit) return { items, version, next: items.at(-1)?.id as string };
      items.push(storedItem(tail, row, include.vector));
    }
    return { items, version };
  }

  async count(filter?: Filter): Promise<{ count: number; version: number }> {
    const checked = checkFilter(filter);
    const { tail, version } = await this.#read({});
    if (checked === undefined) return { count: tail.live.size, version };
    let count = 0;
    for (const row of tail.live.values()) if (checked.test(tail.parsedMetadata(row))) count++;
    return { count, version };
  }

  async stats(): Promise<CollectionStats> {
    const { tail, version } = await this.#read({});
    let log = 0;
    let startAfter: string | undefined;
    for (;;) {
      const page = await this.#store.list(logPrefix(this.info.name), { ...(startAfter && { startAfter }) });
      for (const object of page.objects) log += object.size;
      startAfter = page.objects.at(-1)?.key;
      if (!page.truncated) break;
    }
    return {
      version,
      items: tail.live.size,
      segments: 0,
      tailRows: tail.live.size,
      deletedRows: tail.count - tail.live.size,
      bytes: { rows: 0, codes: 0, graphs: 0, log },
    };
  }

  async recall(
    options: { sample?: number; k?: number; ef?: number; seed?: number } = {},
  ): Promise<RecallReport> {
    const sample = checkWhole('sample', options.sample, 1, 10_000, 100);
    const k = checkWhole('k', options.k, 1, 1000, 10);
    const ef = checkWhole('ef', options.ef, 1, maxEf, 64);
    const { tail } = await this.#read({});
    return measureRecall(this, [...tail.live.keys()], { sample, k, ef, seed: options.seed ?? 1 });
  }

  /** The state to answer from. Throws where the collection was dropped, or `minVersion` does not exist. */
  async #read(
    options: { consistency?: 'strong' | 'eventual'; minVersion?: number },
    meter: Meter = newMeter(),
  ): Promise<Readonly<HeadState>> {
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

  #assertCurrent(state: Readonly<HeadState>): void {
    if (state.incarnation !== this.#incarnation)
      throw new LookalikeError('unknown-collection', `collection ${this.info.name} was dropped`);
  }
}

function minVersionOf(options: { minVersion?: number }): number {
  return checkWhole('minVersion', options.minVersion, 0, Number.MAX_SAFE_INTEGER, 0);
}

/** Of the item as the changes staged so far leave it: those will have the number of the next commit. */
function versionOf(id: string, state: Readonly<HeadState>, staging: Staging): number | undefined {
  if (staging.changes.has(id)) return staging.changes.get(id) === undefined ? undefined : state.version + 1;
  const row = state.tail.live.get(id);
  return row === undefined ? undefined : state.tail.versions[row];
}

function itemBytes(item: CheckedItem): number {
  return item.vector.byteLength + item.id.length + item.metadataText.length + 8;
}

function storedItem(tail: HeadState['tail'], row: number, withVector: boolean): StoredItem {
  return {
    id: tail.ids[row] as string,
    version: tail.versions[row] as number,
    metadata: JSON.parse(tail.metadata[row] as string),
    ...(withVector && { vector: tail.vector(row).slice() }),
  };
}
