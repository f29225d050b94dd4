import type {
  GetOptions,
  ListOptions,
  ListPage,
  ObjectBody,
  ObjectStore,
  PutOptions,
  StoredObject,
} from '@lookalike/store';

export type CallKind = 'get' | 'stream' | 'put' | 'list' | 'delete';

/** What becomes of a call: it throws before it takes effect, or after. */
export type Fault = 'before' | 'after' | undefined;

/** `start`: of the range that is asked for. */
export type Decide = (kind: CallKind, key: string, start?: number) => Fault | Promise<Fault>;

/** Passes calls on to another store, as `decide` says: the way of one process to the objects it shares with others. */
export class FaultStore implements ObjectStore {
  readonly description = 'faulty';
  readonly #inner: ObjectStore;
  readonly #decide: Decide;

  constructor(inner: ObjectStore, decide: Decide) {
    this.#inner = inner;
    this.#decide = decide;
  }

  async #call<T>(kind: CallKind, key: string, work: () => Promise<T>, start?: number): Promise<T> {
    const fault = await this.#decide(kind, key, start);
    if (fault === 'before') throw new Error(`injected: ${kind} ${key} failed`);
    const result = await work();
    if (fault === 'after') throw new Error(`injected: the answer to ${kind} ${key} was lost`);
    return result;
  }

  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'> {
    return this.#call('get', key, () => this.#inner.get(key, options), options?.range?.start);
  }

  stream(key: string, options?: Pick<GetOptions, 'range' | 'signal'>) {
    return this.#call('stream', key, () => this.#inner.stream(key, options));
  }

  put(key: string, body: ObjectBody, options?: PutOptions): Promise<{ etag: string }> {
    return this.#call('put', key, () => this.#inner.put(key, body, options));
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#call('list', prefix, () => this.#inner.list(prefix, options));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#call('delete', keys[0] ?? '', () => this.#inner.delete(keys));
  }
}
