import { randomUUID } from 'node:crypto';
import { LookalikeError } from '@lookalike/store';
import { decodeCheckpoint, listCheckpoints } from './checkpoint.ts';
import type { Commit, CommitBody } from './commit.ts';
import { CommitLog } from './commit-log.ts';
import {
  createdState,
  emptyState,
  foldSegments,
  foldWrite,
  type HeadState,
  type LiveSegment,
  replayWrite,
} from './head-state.ts';
import { LiveHash } from './live-hash.ts';
import { checkpointKey, logKey } from './log-keys.ts';
import { type Meter, newMeter } from './meter.ts';
import { isDamage } from './object-fetch.ts';
import { openSegments, type Segment } from './segment.ts';
import type { SegmentDescriptor } from './segment-descriptor.ts';
import type { SegmentSpace } from './segment-place.ts';
import { Serial } from './serial.ts';
import { Tail } from './tail.ts';

/**
 * The newest known state of one collection in this process, fed by the log. Any number of processes have one each;
 * only the log is shared.
 */
export class Head {
  readonly name: string;
  readonly #space: SegmentSpace;
  readonly #log: CommitLog;
  readonly #grace: number;
  readonly #now: () => number;
  readonly #folding = new Serial();
  #state: HeadState;
  #loaded = false;
  /** The newest checkpoint seen: the log reaches at least as far. */
  #checkpointed = 0;
  #reading: Promise<Meter> | undefined;
  #readingNext: Promise<Meter> | undefined;
  #confirmedAt = Number.NEGATIVE_INFINITY;

  /** `grace`: milliseconds for which objects outlive their use; commits may be gone after it. */
  constructor(space: SegmentSpace, name: string, options: { grace: number; now: () => number }) {
    this.name = name;
    this.#space = space;
    this.#log = new CommitLog(space.store, name);
    this.#grace = options.grace;
    this.#now = options.now;
    this.#state = emptyState(name, 0);
  }

  get state(): HeadState {
    return this.#state;
  }

  /** Milliseconds since 1970, by the clock of grace periods. */
  now(): number {
    return this.#now();
  }

  /** Milliseconds since the state was last known to be the newest. */
  get age(): number {
    return this.#now() - this.#confirmedAt;
  }

  /** Commits after this state may have been collected as garbage: the next number may look free and not be. */
  get #stale(): boolean {
    return this.age > this.#grace / 4;
  }

  /** Whether what was stored then (milliseconds since 1970), and nothing names yet, may have been removed as garbage meanwhile. */
  mayBeCollected(storedAt: number): boolean {
    return this.#now() - storedAt > this.#grace / 2;
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
      const begun = this.#now();
      const thorough = !this.#loaded || this.#stale;
      if (thorough) await this.#loadNewer(meter);
      try {
        await this.#foldNew(meter, thorough);
      } catch (error) {
        // Folded away and collected while we read: a newer checkpoint knows.
        if (!isDamage(error) || !(await this.#loadNewer(meter))) throw error;
        await this.#foldNew(meter, true);
      }
      if (this.#state.version < this.#checkpointed) throw this.#missing(this.#state.version + 1);
      this.#confirmedAt = begun;
      return meter;
    });
  }

  async #foldNew(meter: Meter, thorough: boolean): Promise<void> {
    for await (const { version, commit } of this.#log.after(this.#state.version, meter, { thorough }))
      await this.#fold(version, commit, meter);
  }

  /** Takes the newest checkpoint, where it is newer than the state. */
  async #loadNewer(meter: Meter): Promise<boolean> {
    const checkpoints = await listCheckpoints(this.#space.store, this.name, meter);
    this.#checkpointed = checkpoints.at(-1)?.version ?? 0;
    let problem: unknown;
    for (const { version } of checkpoints.reverse()) {
      if (version <= this.#state.version) break;
      try {
        this.#state = await this.#loadCheckpoint(version, meter);
        this.#loaded = true;
        return true;
      } catch (error) {
        // An older one, and the commits after it, say the same.
        if (!isDamage(error)) throw error;
        problem ??= error;
      }
    }
    if (problem !== undefined && this.#state.version === 0 && (await this.#log.oldest(meter)) !== 1)
      throw problem;
    this.#loaded = true;
    return false;
  }

  async #loadCheckpoint(version: number, meter: Meter): Promise<HeadState> {
    const key = checkpointKey(this.name, version);
    meter.requests++;
    const found = await this.#space.store.get(key);
    if (found === undefined)
      throw new LookalikeError('missing-object', `${key} is missing`, { details: { key } });
    meter.bytes += found.size;
    const checkpoint = decodeCheckpoint(key, found.body);
    const { info, incarnation, indexedVersion, items } = checkpoint;
    const opened = await this.#open(
      checkpoint.segments.map(({ descriptor }) => descriptor),
      meter,
      info,
    );
    const segments: LiveSegment[] = checkpoint.segments.map(({ dead, deadCount }, i) => ({
      segment: opened[i] as Segment,
      dead,
      deadCount,
    }));
    const tail = new Tail(info);
    let replayed = indexedVersion;
    let lastWrite = indexedVersion;
    for await (const { version: number, commit } of this.#log.after(indexedVersion, meter, {
      last: version,
      thorough: true,
    })) {
      if (commit.kind === 'write') {
        replayWrite(tail, number, commit.batch);
        lastWrite = number;
      }
      replayed = number;
    }
    if (replayed !== version) throw this.#missing(replayed + 1);
    return {
      version,
      incarnation,
      info,
      segments,
      indexedVersion,
      lastWrite,
      tail,
      items,
      liveHash: LiveHash.parse(checkpoint.liveHash),
    };
  }

  #missing(version: number): LookalikeError {
    const key = logKey(this.name, version);
    return new LookalikeError(
      'missing-object',
      `${key} is missing: there is a checkpoint of a later commit`,
      {
        details: { key },
      },
    );
  }

  #open(
    descriptors: readonly SegmentDescriptor[],
    meter: Meter,
    info = this.#state.info,
  ): Promise<Segment[]> {
    return openSegments(descriptors, { space: this.#space, info, known: this.#state.segments }, meter);
  }

  /**
   * Commits what `build` makes of the newest state, so that nothing comes between that state and the commit: on a lost
   * race `build` is asked again. Where it makes nothing, the answer is the version that it decided at, the newest.
   *
   * `storedSince`: when the first object was stored that the commit names and nothing else does. Throws `write-failed` where that is
   * so long ago that it may have been removed.
   */
  async commit(
    build: (state: HeadState) => CommitBody | undefined | Promise<CommitBody | undefined>,
    { storedSince }: { storedSince?: number } = {},
  ): Promise<number> {
    const id = randomUUID();
    for (;;) {
      if (!this.#loaded || this.#stale) await this.refresh();
      const state = this.#state;
      const version = state.version;
      const body = await build(state);
      if (body === undefined) {
        await this.refresh();
        if (this.#state.version === version) return version;
        continue;
      }
      if (this.#state.version !== version || this.#stale) continue;
      if (storedSince !== undefined && this.mayBeCollected(storedSince))
        throw new LookalikeError(
          'write-failed',
          `storing what commit ${version + 1} of ${this.name} names took too long: try again`,
        );
      const commit: Commit = { ...body, id };
      if (await this.#log.append(version + 1, commit, newMeter())) {
        if (this.age > this.#grace / 2)
          throw new LookalikeError(
            'commit-unknown',
            `commit ${version + 1} of ${this.name} took too long: it may or may not have been in time`,
          );
        await this.#folding.run(async () => {
          if (this.#state.version === version) await this.#fold(version + 1, commit, newMeter());
          this.#confirmedAt = this.#now();
        });
        return version + 1;
      }
      await this.refresh();
    }
  }

  async #fold(version: number, commit: Commit, meter: Meter): Promise<void> {
    const state = this.#state;
    if (version !== state.version + 1)
      throw new Error(`commit ${version} of ${this.name} folded after ${state.version}`);
    switch (commit.kind) {
      case 'create':
        this.#state = createdState(commit.info, version, version);
        return;
      case 'drop':
        this.#release(state.segments);
        this.#state = emptyState(this.name, version);
        return;
      case 'write':
        this.#state = foldWrite(state, version, commit.batch);
        return;
      case 'segments': {
        const added = await this.#open(commit.add, meter);
        this.#state = foldSegments(state, version, { ...commit, added });
        this.#release(state.segments.filter((live) => commit.remove.includes(live.segment.descriptor.id)));
      }
    }
  }

  /** Removed segments still serve whoever holds them, but need not stay in memory for it. */
  #release(segments: readonly LiveSegment[]): void {
    for (const { segment } of segments) segment.release();
  }
}
