/** What is known of a stored object without reading it. */
export interface ObjectInfo {
  key: string;
  /** Bytes. */
  size: number;
  /** Opaque; equal only for equal content of the same key. */
  etag: string;
  /** When it was written, by the store's clock: for grace periods only, never for ordering. */
  lastModified: Date;
}

export interface StoredObject extends ObjectInfo {
  body: Uint8Array;
}

export interface GetOptions {
  /** Bytes `start` (inclusive) to `end` (exclusive); an `end` past the object is cut to its size. */
  range?: { start: number; end: number };
  /** Answer `'not-modified'` where the object still has this etag. */
  ifNoneMatch?: string;
  signal?: AbortSignal;
}

export interface PutOptions {
  /** Create only: throws `LookalikeError('object-exists')` where the key exists already. Atomic among all writers. */
  ifAbsent?: boolean;
  signal?: AbortSignal;
}

export interface ListOptions {
  /** List keys after this one (exclusive), in ascending UTF-8 byte order. */
  startAfter?: string;
  /** At most this many; default 1000. */
  limit?: number;
  signal?: AbortSignal;
}

export interface ListPage {
  objects: ObjectInfo[];
  /** More keys follow the last one. */
  truncated: boolean;
}

export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * The only thing Lookalike asks of storage. Read-after-write and list-after-write consistent.
 * `put` with `ifAbsent` is the only synchronisation primitive of the whole system.
 *
 * Keys: 1-1024 bytes of UTF-8, `/`-separated, no empty, `.` or `..` part, no control characters;
 * anything else throws `LookalikeError('invalid-key')`.
 */
export interface ObjectStore {
  /** For messages: `folder /data`, `s3://bucket/prefix`. */
  readonly description: string;

  /** `undefined` where there is no such object. A short or damaged answer throws, it is never returned. */
  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;

  /** The body in chunks, for objects too large to hold. */
  stream(
    key: string,
    options?: Pick<GetOptions, 'range' | 'signal'>,
  ): Promise<AsyncIterable<Uint8Array> | undefined>;

  /** Durable when it returns. A reader sees the whole new object or the old one, never part of it. */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<{ etag: string }>;

  list(prefix: string, options?: ListOptions): Promise<ListPage>;

  /** Deleting what is not there is no error. */
  delete(keys: readonly string[]): Promise<void>;

  /** The file that holds the object, where the store keeps objects as files of this machine. Never to be written. */
  localPath?(key: string): Promise<string | undefined>;
}
