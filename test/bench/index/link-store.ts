import { setTimeout as sleep } from 'node:timers/promises';
import type {
  GetOptions,
  ListOptions,
  ListPage,
  ObjectBody,
  ObjectStore,
  PutOptions,
  StoredObject,
} from '@lookalike/store';

/** Milliseconds that a stream goes on coming while nobody reads it, as the system's buffers let it. */
const buffered = 200;

/** A store behind a link: every request waits `latency` milliseconds, and all bodies share `bytesPerSecond`. */
export class LinkStore implements ObjectStore {
  readonly description: string;
  readonly #inner: ObjectStore;
  readonly #latency: number;
  readonly #bytesPerSecond: number;
  #freeAt = 0;
  /** Read so far. */
  bytes = 0;
  requests = 0;

  constructor(inner: ObjectStore, { latency, bytesPerSecond }: { latency: number; bytesPerSecond: number }) {
    this.description = `${inner.description} behind a link`;
    this.#inner = inner;
    this.#latency = latency;
    this.#bytesPerSecond = bytesPerSecond;
  }

  async #ask(): Promise<void> {
    this.requests++;
    await sleep(this.#latency);
  }

  /** `ahead`: milliseconds for which the link went on meanwhile. */
  async #carry(bytes: number, ahead = 0): Promise<void> {
    this.bytes += bytes;
    const now = performance.now();
    this.#freeAt = Math.max(now - ahead, this.#freeAt) + (bytes / this.#bytesPerSecond) * 1000;
    const wait = this.#freeAt - now;
    if (wait > 1) await sleep(wait);
  }

  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;
  async get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'> {
    await this.#ask();
    const found = await this.#inner.get(key, options);
    if (typeof found === 'object') await this.#carry(found.body.length);
    return found;
  }

  async stream(key: string, options?: Pick<GetOptions, 'range' | 'signal'>) {
    await this.#ask();
    const found = await this.#inner.stream(key, options);
    const carry = (bytes: number, ahead: number) => this.#carry(bytes, ahead);
    return (
      found &&
      (async function* () {
        let ahead = 0;
        for await (const chunk of found) {
          await carry(chunk.length, ahead);
          ahead = buffered;
          yield chunk;
        }
      })()
    );
  }

  async put(key: string, body: ObjectBody, options?: PutOptions): Promise<{ etag: string }> {
    await this.#ask();
    return this.#inner.put(key, body, options);
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    await this.#ask();
    return this.#inner.list(prefix, options);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#ask();
    await this.#inner.delete(keys);
  }
}
