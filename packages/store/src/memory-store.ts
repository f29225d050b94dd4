import { createHash } from 'node:crypto';
import { collectBody } from './body.ts';
import { LookalikeError } from './errors.ts';
import { checkKey, checkPrefix, compareUtf8 } from './keys.ts';
import type {
  GetOptions,
  ListOptions,
  ListPage,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  StoredObject,
} from './object-store.ts';

/** Objects in this process's memory: for tests and for collections that need not outlive the process. */
export class MemoryStore implements ObjectStore {
  readonly description = 'memory';
  readonly #now: () => number;
  readonly #objects = new Map<string, StoredObject>();
  #sorted: string[] | undefined;

  /** `now`: the store's clock, milliseconds since 1970. */
  constructor(options: { now?: () => number } = {}) {
    this.#now = options.now ?? Date.now;
  }

  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;
  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined | 'not-modified'> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const found = this.#objects.get(key);
    if (found === undefined) return undefined;
    if (options.ifNoneMatch === found.etag) return 'not-modified';
    const { start, end } = options.range ?? { start: 0, end: found.size };
    return { ...found, body: found.body.slice(start, Math.max(start, end)) };
  }

  async stream(
    key: string,
    options: Pick<GetOptions, 'range' | 'signal'> = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const found = await this.get(key, options);
    if (found === undefined) return undefined;
    return (async function* () {
      for (let at = 0; at < found.body.length; at += 1 << 16) yield found.body.subarray(at, at + (1 << 16));
    })();
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<{ etag: string }> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const bytes = Uint8Array.from(await collectBody(body));
    const etag = createHash('sha256').update(bytes).digest('hex');
    const exists = this.#objects.has(key);
    if (options.ifAbsent && exists) throw new LookalikeError('object-exists', `${key} exists already`);
    if (!exists) this.#sorted = undefined;
    this.#objects.set(key, {
      key,
      size: bytes.length,
      etag,
      lastModified: new Date(this.#now()),
      body: bytes,
    });
    return { etag };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const { startAfter, limit = 1000 } = options;
    this.#sorted ??= [...this.#objects.keys()].sort(compareUtf8);
    const objects: ObjectInfo[] = [];
    for (const key of this.#sorted) {
      if (!key.startsWith(prefix)) continue;
      if (startAfter !== undefined && compareUtf8(key, startAfter) <= 0) continue;
      if (objects.length === limit) return { objects, truncated: true };
      const found = this.#objects.get(key);
      if (found === undefined) continue;
      objects.push({ key, size: found.size, etag: found.etag, lastModified: found.lastModified });
    }
    return { objects, truncated: false };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (const key of keys) if (this.#objects.delete(key)) this.#sorted = undefined;
  }
}
