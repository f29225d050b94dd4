import type { LookalikeError } from '@lookalike/store';
import type { Filter } from './filter.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type Metadata = { [key: string]: JsonValue };

/**
 * - `cosine`: distance 1 - cos(a, b), in [0, 2]; similarity = max(0, cos(a, b)).
 * - `l2`: Euclidean distance; similarity = 1 / (1 + distance).
 * - `l1`: sum of absolute differences; similarity = 1 / (1 + distance).
 */
export type Metric = 'cosine' | 'l2' | 'l1';

export interface HnswParameters {
  /** Links a node and layer, 2-128. */
  m: number;
  /** Candidates kept while building, 8-4096. */
  efConstruction: number;
}

/** The encoder a collection is bound to: vectors of another one mean nothing here. */
export interface EncoderBinding {
  name: string;
  /** `Encoder.hash`. */
  hash: string;
}

export interface CollectionConfig {
  /** 1-4096. */
  dimension: number;
  metric: Metric;
  encoder?: EncoderBinding;
  hnsw?: Partial<HnswParameters>;
}

export interface CollectionInfo {
  name: string;
  dimension: number;
  metric: Metric;
  encoder?: EncoderBinding;
  hnsw: HnswParameters;
}

export interface Item {
  /** 1-512 bytes of UTF-8, no control characters; unique in its collection. */
  id: string;
  /** `dimension` finite numbers; not all zero under cosine. Stored as given (float32), compared by the metric. */
  vector: Float32Array;
  /** JSON object, at most 64 KiB as text. */
  metadata?: Metadata;
  /** Store it only where the item that is there has this version; 0: only where there is none. */
  ifVersion?: number;
}

export interface StoredItem {
  id: string;
  /** Commit that wrote this version of the item. */
  version: number;
  metadata: Metadata;
  vector?: Float32Array;
}

/** What became of one item of a batch, in the order given. */
export type UpsertResult =
  | { id: string; status: 'stored' }
  /** `unlessSimilar` found something that near: not stored. */
  | { id: string; status: 'similar'; match: Match }
  /** `ifVersion` did not hold: not stored. */
  | { id: string; status: 'conflict'; version: number | undefined }
  | { id: string; status: 'invalid'; error: { code: string; message: string } };

export interface UpsertOptions {
  /** Store an item only where nothing else of at least this similarity is there, earlier items of the same batch included. */
  unlessSimilar?: number;
}

export interface WriteResult {
  /** The commit that holds the batch; where nothing was stored, the version that the decision was made at. */
  version: number;
  results: UpsertResult[];
}

export interface DeleteResult {
  version: number;
  /** Items that were there and are now deleted. */
  deleted: number;
}

export interface QueryRequest {
  /** One of `vector` and `id`. `id`: the vector of that item; the item itself is not among the matches. */
  vector?: Float32Array;
  id?: string;
  /** 1-10,000; default 10, or unbounded where only `minSimilarity` is given (a range search, paged). */
  topK?: number;
  minSimilarity?: number;
  filter?: Filter;
  /** Default `['metadata']`. */
  include?: readonly ('metadata' | 'vector')[];
  consistency?: 'strong' | 'eventual';
  /** Read at least this version, whatever `consistency` says. */
  minVersion?: number;
  /** The true answer, by scanning. */
  exact?: boolean;
  /** Candidates of the graph search, 1-10,000. */
  ef?: number;
  /** Of a range search: from the page before. */
  cursor?: string;
  /** Answer with a receipt. */
  explain?: boolean;
}

export interface Match {
  id: string;
  distance: number;
  similarity: number;
  metadata?: Metadata;
  vector?: Float32Array;
}

export interface QueryResult {
  /** Nearest first; ties by id. */
  matches: Match[];
  /** The version read. */
  version: number;
  /** Of a range search that has more. */
  cursor?: string;
  receipt?: QueryReceipt;
}

export interface QueryReceipt {
  version: number;
  /** Whether the answer is proven to be the true one. */
  exact: boolean;
  /** Nothing had to be fetched but the list of commits. */
  warm: boolean;
  segments: { id: string; rows: number; way: 'graph' | 'flat' | 'exact' }[];
  rowsScanned: number;
  tailRows: number;
  store: { requests: number; bytes: number };
  /** Milliseconds by stage. */
  milliseconds: Record<string, number>;
}

export interface ScanRequest {
  /** Ids after this one, in ascending UTF-8 byte order. */
  after?: string;
  /** Default 100, at most 10,000. */
  limit?: number;
  filter?: Filter;
  include?: readonly ('metadata' | 'vector')[];
  minVersion?: number;
}

export interface CollectionStats {
  version: number;
  /** Live items. */
  items: number;
  segments: number;
  /** Rows not yet in a segment, searched exactly. */
  tailRows: number;
  /** Commits from the first to the last write that is not yet in a segment; deletes are writes, too. */
  tailCommits: number;
  /** Rows that are stored but deleted or replaced. */
  deletedRows: number;
  bytes: { rows: number; codes: number; graphs: number; log: number };
}

export interface RecallReport {
  sample: number;
  k: number;
  /** Mean of |approximate ∩ exact| / k over the sample. */
  recall: number;
  ef: number;
  milliseconds: { approximate: number; exact: number };
}

export interface Collection {
  readonly info: CollectionInfo;
  /** Durable when it returns. One bad item never loses the others: see its result. */
  upsert(items: readonly Item[], options?: UpsertOptions): Promise<WriteResult>;
  delete(selection: { ids: readonly string[] } | { filter: Filter }): Promise<DeleteResult>;
  get(
    ids: readonly string[],
    options?: { include?: readonly ('metadata' | 'vector')[]; minVersion?: number },
  ): Promise<(StoredItem | undefined)[]>;
  query(request: QueryRequest): Promise<QueryResult>;
  /** One list call for all of them. */
  queryBatch(requests: readonly QueryRequest[]): Promise<QueryResult[]>;
  /** Live items in id order. */
  scan(request?: ScanRequest): Promise<{ items: StoredItem[]; version: number; next?: string }>;
  count(filter?: Filter): Promise<{ count: number; version: number }>;
  stats(): Promise<CollectionStats>;
  recall(options?: { sample?: number; k?: number; ef?: number; seed?: number }): Promise<RecallReport>;
}

/** A collection of which what it is cannot be read: what tells it is gone from the store, or not as it was written. */
export interface DamagedCollection {
  name: string;
  /** Names the object. */
  error: LookalikeError;
}

export interface CollectionPage {
  collections: CollectionInfo[];
  damaged: DamagedCollection[];
  /** Where there are more: the last name of this page, to go on after. */
  next?: string;
}

/**
 * The port in front of collections: nothing of hnswlib or of the log shows through it, so that a managed distributed
 * engine could take its place.
 */
export interface SearchEngine {
  /** Creating it again with the same configuration is no error; with another one, `LookalikeError('collection-exists')`. */
  createCollection(name: string, config: CollectionConfig): Promise<CollectionInfo>;
  /** `LookalikeError('unknown-collection')` where there is none. */
  collection(name: string): Promise<Collection>;
  /** By name. `limit` counts those that are damaged too: they are told apart and keep none of the others from the list. */
  listCollections(options?: { after?: string; limit?: number }): Promise<CollectionPage>;
  /** `LookalikeError('unknown-collection')` where there is none. */
  dropCollection(name: string): Promise<void>;
  /** Waits for writes under way; further calls throw `LookalikeError('closed')`. */
  close(): Promise<void>;
}
