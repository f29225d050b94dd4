import { setTimeout as sleep } from 'node:timers/promises';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { type Commit, decodeCommit, encodeCommit } from './commit.ts';
import { keyVersion, logKey, logPrefix } from './log-keys.ts';
import type { Meter } from './meter.ts';

const readsAtOnce = 16;
const attempts = 5;

/** The numbered commits of one collection. */
export class CommitLog {
  readonly collection: string;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore, collection: string) {
    this.#store = store;
    this.collection = collection;
  }

  /**
   * The commits after `version` and up to `last`, in order, a few at a time. Numbers have no gaps, so one missing object
   * (`version` + 1) proves that there are none: that is the whole cost of finding nothing. `thorough`: lists them even so,
   * which finds an object that was lost.
   */
  async *after(
    version: number,
    meter: Meter,
    options: { last?: number; thorough?: boolean } = {},
  ): AsyncGenerator<{ version: number; commit: Commit }> {
    const { last = Number.POSITIVE_INFINITY, thorough = false } = options;
    let done = version;
    if (!thorough) {
      const first = await this.#read(version + 1, meter);
      if (first === undefined) return;
      yield first;
      done = first.version;
    }
    while (done < last) {
      const listed = await this.#numbersAfter(done, meter);
      const numbers = listed.filter((number) => number <= last);
      for (let at = 0; at < numbers.length; at += readsAtOnce) {
        const batch = numbers.slice(at, at + readsAtOnce);
        const commits = await Promise.all(batch.map((number) => this.#read(number, meter)));
        for (const [i, number] of batch.entries()) {
          const commit = commits[i];
          if (commit === undefined || number !== done + 1)
            throw missing(this.collection, commit === undefined ? number : done + 1);
          yield commit;
          done = number;
        }
      }
      // A short page is the end as of the list; the next read would only look for what came since.
      if (listed.length < 1000) return;
    }
  }

  /**
   * Writes `commit` as number `version`, the next after those its author knows. `false`: another commit has that number.
   * Durable when it returns `true`. A create whose answer was lost or refused is settled by reading the number back.
   */
  async append(version: number, commit: Commit, meter: Meter): Promise<boolean> {
    const key = logKey(this.collection, version);
    const bytes = encodeCommit(commit);
    for (let attempt = 1; ; attempt++) {
      try {
        meter.requests++;
        await this.#store.put(key, bytes, { ifAbsent: true });
        return true;
      } catch (cause) {
        const found = await this.#readBack(version, meter, cause);
        if (found !== undefined) return found.commit.id === commit.id;
        if (attempt === attempts)
          throw new LookalikeError(
            'write-failed',
            `cannot write ${key} to ${this.#store.description}: ${reason(cause)}`,
            {
              cause,
              details: { key },
            },
          );
      }
      await sleep(backoff(attempt));
    }
  }

  async #readBack(version: number, meter: Meter, writeError: unknown) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#read(version, meter);
      } catch (cause) {
        if (
          cause instanceof LookalikeError &&
          (cause.code === 'damaged-object' || cause.code === 'unknown-format')
        )
          throw cause;
        if (attempt === attempts)
          throw new LookalikeError(
            'commit-unknown',
            `${logKey(this.collection, version)}: writing it failed (${reason(writeError)}) and so did reading it back: the write may or may not have happened`,
            { cause },
          );
      }
      await sleep(backoff(attempt));
    }
  }

  async #read(version: number, meter: Meter) {
    const key = logKey(this.collection, version);
    meter.requests++;
    const found = await this.#store.get(key);
    if (found === undefined) return undefined;
    meter.bytes += found.size;
    return { version, commit: decodeCommit(key, found.body) };
  }

  async #numbersAfter(version: number, meter: Meter): Promise<number[]> {
    meter.requests++;
    const page = await this.#store.list(logPrefix(this.collection), {
      startAfter: logKey(this.collection, version),
      limit: 1000,
    });
    return page.objects.map((object) => keyVersion(object.key));
  }

  /** The oldest number still stored. */
  async oldest(meter: Meter): Promise<number | undefined> {
    meter.requests++;
    const page = await this.#store.list(logPrefix(this.collection), { limit: 1 });
    const [first] = page.objects;
    return first && keyVersion(first.key);
  }
}

function missing(collection: string, version: number): LookalikeError {
  const key = logKey(collection, version);
  return new LookalikeError(
    'missing-object',
    `${key} is missing: later commits exist, and numbers have no gaps`,
    {
      details: { key },
    },
  );
}

/** Milliseconds, with jitter so that writers who collided do not collide again. */
function backoff(attempt: number): number {
  return Math.random() * Math.min(1000, 10 * 2 ** attempt);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
