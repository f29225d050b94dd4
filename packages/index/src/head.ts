import { randomUUID } from 'node:crypto';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import type { Commit, CommitBody } from './commit.ts';
import { CommitLog } from './commit-log.ts';
import type { CollectionInfo } from './engine.ts';
import { LiveHash } from './live-hash.ts';
import { type Meter, newMeter } from './meter.ts';
import { Serial } from './serial.ts';
import { Tail } from './tail.ts';

/** What the log says, folded up to `version`. */
export interface HeadState {
  version: number;
  /** The commit that created the collection as it stands; 0 where there is none. */
  incarnation: number;
  info: CollectionInfo;
  tail: Tail;
  liveHash: LiveHash;
}

/**
 * The newest known state of one collection in this process, fed by the log. Any number of processes have one each;
 * only the log is shared.
 */
export class Head {
  readonly name: string;
  readonly #log: CommitLog;
  readonly #folding = new Serial();
  #state: HeadState;
  #reading: Promise<Meter> | undefined;
  #readingNext: Promise<Meter> | undefined;
  /** When this process last knew its state to be the newest (milliseconds). */
  #confirmedAt = Number.NEGATIVE_INFINITY;

  constructor(store: ObjectStore, name: string) {
    this.name = name;
    this.#log = new CommitLog(store, name);
    this.#state = emptyState(name, 0);
  }

  get state(): Readonly<HeadState> {
    return this.#state;
  }

  /** Milliseconds since the state was last known to be the newest. */
  get age(): number {
    return Date.now() - this.#confirmedAt;
  }

  /**
   * Reads the log to its end. Every commit that existed when this was called is folded when it returns: a call joins
   * only a reading that has not begun.
   */
  refresh(): Promise<Meter> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    this.#readingNext ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#readingNext = undefined;
        return this.refresh();
      });
    return this.#readingNext;
  }

  #read(): Promise<Meter> {
    return this.#folding.run(async () => {
      const meter = newMeter();
      const begun = Date.now();
      for await (const { version, commit } of this.#log.after(this.#state.version, meter))
        this.#fold(version, commit);
      this.#confirmedAt = begun;
      return meter;
    });
  }

  /**
   * Commits what `build` makes of the newest state, so that nothing comes between that state and the commit: on a lost
   * race `build` is asked again. Where it makes nothing, the answer is the version that it decided at, the newest.
   */
  async commit(
    build: (state: Readonly<HeadState>) => CommitBody | undefined | Promise<CommitBody | undefined>,
  ): Promise<number> {
    const id = randomUUID();
    for (;;) {
      const state = this.#state;
      const version = state.version;
      const body = await build(state);
      if (body === undefined) {
        await this.refresh();
        if (this.#state.version === version) return version;
        continue;
      }
      if (this.#state.version !== version) continue;
      const commit: Commit = { ...body, id };
      if (await this.#log.append(version + 1, commit, newMeter())) {
        await this.#folding.run(async () => {
          if (this.#state.version === version) {
            this.#fold(version + 1, commit);
            this.#confirmedAt = Date.now();
          }
        });
        return version + 1;
      }
      await this.refresh();
    }
  }

  #fold(version: number, commit: Commit): void {
    const state = this.#state;
    if (version !== state.version + 1)
      throw new Error(`commit ${version} of ${this.name} folded after ${state.version}`);
    switch (commit.kind) {
      case 'create':
        this.#state = {
          ...emptyState(this.name, version),
          incarnation: version,
          info: commit.info,
          tail: new Tail(commit.info),
        };
        return;
      case 'drop':
        this.#state = emptyState(this.name, version);
        return;
      case 'write': {
        const { tail, liveHash } = state;
        const { ids, vectors, metadata, deletes } = commit.batch;
        for (const id of deletes) this.#kill(state, id, version);
        for (const [i, id] of ids.entries()) {
          this.#kill(state, id, version);
          tail.append(version, id, vectors, i * tail.dimension, metadata[i] as string);
          liveHash.add(id, version);
        }
        break;
      }
      case 'segments':
        throw new LookalikeError('unknown-format', `commit ${version} of ${this.name} holds segments`);
    }
    this.#state = { ...state, version };
  }

  #kill(state: HeadState, id: string, version: number): void {
    const killed = state.tail.kill(id, version);
    if (killed !== undefined) state.liveHash.remove(id, killed);
  }
}

function emptyState(name: string, version: number): HeadState {
  const info: CollectionInfo = { name, dimension: 1, metric: 'l2', hnsw: { m: 16, efConstruction: 200 } };
  return { version, incarnation: 0, info, tail: new Tail(info), liveHash: new LiveHash() };
}
