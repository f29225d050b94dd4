import { setTimeout as sleep } from 'node:timers/promises';
import type { WriteBatch } from './commit.ts';
import type { Head } from './head.ts';
import type { HeadState } from './head-state.ts';
import { type Outcome, type Staging, stage } from './staging.ts';

/** A call of a writer that waits for its commit. */
export interface PendingWrite<Result = unknown> {
  /** Bytes it may add to a commit, roughly. */
  bytes: number;
  /**
   * Adds what the call changes to `staging`; asked again where the state has moved on. Returns the call's results; where it throws, that is
   * the call's outcome, and what it added counts for nothing.
   */
  stage(state: HeadState, staging: Staging): Result | Promise<Result>;
}

interface Waiting {
  write: PendingWrite;
  resolve(outcome: { version: number; result: unknown }): void;
  reject(error: unknown): void;
}

/** Calls beyond this wait for the next commit. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Puts calls that arrive within a window into one commit and answers them all when it exists. At most one commit a
 * window; a call that finds no commit within the window before it is committed at once. A call that fails fails alone.
 */
export class GroupCommit {
  readonly #head: Head;
  readonly #windowMilliseconds: number;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #lastStart = Number.NEGATIVE_INFINITY;

  constructor(head: Head, windowMilliseconds: number) {
    this.#head = head;
    this.#windowMilliseconds = windowMilliseconds;
  }

  write<Result>(write: PendingWrite<Result>): Promise<{ version: number; result: Result }> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve: resolve as Waiting['resolve'], reject });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Calls made in the same turn as the first one go with it.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const wait = this.#lastStart + this.#windowMilliseconds - performance.now();
      if (wait > 0) await sleep(wait);
      this.#lastStart = performance.now();
      const group = this.#take();
      let outcomes: Outcome[] = [];
      try {
        const version = await this.#head.commit(async (state) => {
          const staged = await stage(
            state,
            group.map((waiting) => waiting.write),
          );
          outcomes = staged.outcomes;
          return isEmpty(staged.batch) ? undefined : { kind: 'write', batch: staged.batch };
        });
        for (const [i, waiting] of group.entries()) {
          const outcome = outcomes[i] as Outcome;
          if ('error' in outcome) waiting.reject(outcome.error);
          else waiting.resolve({ version, result: outcome.result });
        }
      } catch (error) {
        for (const [i, waiting] of group.entries()) {
          const outcome = outcomes[i];
          waiting.reject(outcome !== undefined && 'error' in outcome ? outcome.error : error);
        }
      }
    }
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { write } of this.#waiting) {
      bytes += write.bytes;
      if (count > 0 && bytes > maxBytes) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}

function isEmpty(batch: WriteBatch): boolean {
  return batch.ids.length === 0 && batch.deletes.length === 0;
}
