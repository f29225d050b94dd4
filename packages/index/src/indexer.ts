import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { LookalikeError } from '@lookalike/store';
import { BackgroundWork } from './background-work.ts';
import { allBits, without } from './bits.ts';
import { inBuildFolder } from './build-folder.ts';
import type { BuildJob, SegmentSource } from './build-job.ts';
import type { BuildPool } from './build-pool.ts';
import { listCheckpoints, writeCheckpoint } from './checkpoint.ts';
import type { CommitBody } from './commit.ts';
import { chooseMerges } from './compaction-plan.ts';
import type { CollectionInfo } from './engine.ts';
import type { Head } from './head.ts';
import type { HeadState, LiveSegment } from './head-state.ts';
import { segmentKey } from './log-keys.ts';
import { newMeter } from './meter.ts';
import { packTail } from './packed-rows.ts';
import { inParallel } from './parallel.ts';
import type { BuiltSegment, SegmentSettings } from './segment-builder.ts';
import { type SegmentDescriptor, segmentFileKinds, segmentFileNames } from './segment-descriptor.ts';
import type { SegmentSpace } from './segment-place.ts';
import { Serial } from './serial.ts';

export interface IndexerOptions {
  /** Rows of the tail from which it becomes a segment. */
  flushRows: number;
  /** Commits of the tail from which it becomes a segment: each is an object that a cold reader fetches. */
  flushCommits: number;
  /** Bytes of the tail from which it becomes a segment. */
  flushBytes: number;
  /** Rows from which a segment gets a graph; below, the flat search is as fast. */
  graphMinRows: number;
  /** Bytes of int8 codes from which a segment gets coarse ones, too: fewer come before a first answer would gain by it. */
  coarseMinBytes: number;
  /** Rows that a segment never exceeds; fewer where the build would take more memory than builds may. */
  maxSegmentRows: number;
  /**
   * Milliseconds after a flush until segments are merged and graphs built. While items stream in, only their rows and codes are
   * written, which is quick and takes little memory, and a graph is not built of what is about to be merged.
   */
  settleTime: number;
  /** Segments from which that is not waited for. */
  maxUnsettledSegments: number;
}

const defaults: IndexerOptions = {
  flushRows: 25_000,
  flushCommits: 500,
  flushBytes: 16 * 2 ** 20,
  graphMinRows: 20_000,
  coarseMinBytes: 16 * 2 ** 20,
  maxSegmentRows: 1_000_000,
  settleTime: 5000,
  maxUnsettledSegments: 64,
};

/**
 * Turns the tail of a collection into segments and merges segments. All it decides is decided by commits, so any number of
 * them may run anywhere, and die at any point: what was built for nothing is garbage.
 */
export class Indexer {
  readonly #head: Head;
  readonly #space: SegmentSpace;
  readonly #pool: BuildPool;
  readonly #options: IndexerOptions;
  readonly #flushing: BackgroundWork;
  readonly #merging: BackgroundWork;
  /** So that no two flush the same rows. */
  readonly #flushes = new Serial();
  /** Calls of `run` under way. */
  #runs = 0;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;

  /** `afterWork`: done after automatic work, which is what makes garbage. */
  constructor(
    head: Head,
    space: SegmentSpace,
    pool: BuildPool,
    options: Partial<IndexerOptions>,
    afterWork?: () => Promise<unknown>,
  ) {
    this.#head = head;
    this.#space = space;
    this.#pool = pool;
    this.#options = { ...defaults, ...options };
    this.#flushing = new BackgroundWork(
      () => this.#flushIsDue(),
      async () => {
        while (!this.#closed && this.#flushIsDue()) {
          await this.#flush({ graphs: false });
          this.#settle();
          await this.#checkpoint();
          this.#merging.poke();
        }
        await afterWork?.();
      },
    );
    const mayMerge = () => this.#runs === 0 && this.#isSettled();
    this.#merging = new BackgroundWork(
      () => mayMerge() && this.#merges(this.#head.state).length > 0,
      async () => {
        await this.#mergeWhileDue(mayMerge);
        await afterWork?.();
      },
    );
  }

  /** Begins to work in the background, where there is work and none is under way. */
  poke(): void {
    this.#flushing.poke();
    this.#merging.poke();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#settling);
    await Promise.all([this.#flushing.idle(), this.#merging.idle()]);
  }

  /** See `Administration.compact`. */
  async run(options: { full?: boolean; rebuild?: boolean } = {}): Promise<void> {
    const { full = false, rebuild = false } = options;
    this.#runs++;
    try {
      await this.#merging.idle();
      // All that was written when this was called.
      const { version } = this.#head.state;
      let graphs = true;
      // Of parts, graphs are built when they are merged.
      while (this.#head.state.indexedVersion < version && (await this.#flush({ graphs }))) graphs = false;
      if (full || rebuild) await this.#mergeAll(full);
      else await this.#mergeWhileDue(() => true);
      await this.#checkpoint();
    } finally {
      this.#runs--;
    }
  }

  #flushIsDue(): boolean {
    const { tail, lastWrite, indexedVersion } = this.#head.state;
    const { flushRows, flushCommits, flushBytes } = this.#options;
    return tail.count >= flushRows || tail.bytes >= flushBytes || lastWrite - indexedVersion >= flushCommits;
  }

  /** A flush was due: more of them may be, until none has been for a while. */
  #settle(): void {
    if (this.#closed) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#merging.poke();
    }, this.#options.settleTime).unref();
  }

  #isSettled(): boolean {
    return (
      this.#settling === undefined || this.#head.state.segments.length >= this.#options.maxUnsettledSegments
    );
  }

  #merges(state: HeadState): LiveSegment[][] {
    return chooseMerges(state.segments, this.#maxRows(state));
  }

  #maxRows({ info }: HeadState): number {
    return Math.min(this.#options.maxSegmentRows, this.#pool.maxRows(this.#settings(info)));
  }

  #settings({ metric, dimension, hnsw }: CollectionInfo): SegmentSettings {
    const { graphMinRows, coarseMinBytes } = this.#options;
    return { metric, dimension, hnsw, graphMinRows, coarseMinBytes };
  }

  async #mergeWhileDue(goesOn: () => boolean): Promise<void> {
    while (!this.#closed && goesOn()) {
      const { state } = this.#head;
      const merges = this.#merges(state);
      if (merges.length === 0) return;
      const width = this.#pool.size;
      const done = await inParallel(merges.slice(0, width), width, (merge) => this.#merge(state, merge));
      await this.#checkpoint();
      // Another indexer was faster: look again at what it left.
      if (!done.includes(true)) await this.#head.refresh();
    }
  }

  /** All segments anew, in parallel groups; together, or (a rebuild) each by itself. */
  async #mergeAll(together: boolean): Promise<void> {
    const { state } = this.#head;
    const maxRows = this.#maxRows(state);
    const groups: LiveSegment[][] = [];
    let rows = Number.POSITIVE_INFINITY;
    for (const live of state.segments) {
      const size = live.segment.rows - live.deadCount;
      if (!together || rows + size > maxRows) {
        groups.push([]);
        rows = 0;
      }
      groups.at(-1)?.push(live);
      rows += size;
    }
    await inParallel(groups, this.#pool.size, (group) => this.#merge(state, group));
  }

  /**
   * The tail as segments, or the first part of it; of deletes alone, nothing but the word that they are done. Without `graphs` those
   * that earn one get it when they are merged. False: another indexer was faster.
   */
  #flush({ graphs }: { graphs: boolean }): Promise<boolean> {
    return this.#flushes.run(async () => {
      const { state } = this.#head;
      const { indexedVersion, lastWrite, incarnation } = state;
      if (incarnation === 0 || lastWrite <= indexedVersion) return false;
      const last = this.#flushEnd(state);
      const isWhole = last === state.version;
      const tail = packTail(state, last);
      return this.#build(
        state,
        async () => ({ segments: [], tail }),
        { remove: [], graphs: graphs && isWhole },
        (current) =>
          current.incarnation === incarnation && current.indexedVersion === indexedVersion ? last : undefined,
      );
    });
  }

  /** Up to which version to flush: a tail that grew while others were built goes in parts, for the sake of memory. */
  #flushEnd({ tail, version }: HeadState): number {
    const rowBytes = tail.bytes / Math.max(1, tail.count);
    const rows = Math.max(
      1,
      Math.min(this.#options.flushRows, Math.floor(this.#options.flushBytes / rowBytes)),
    );
    return tail.count <= 1.5 * rows ? version : (tail.versions[rows] as number);
  }

  async #merge(state: HeadState, group: readonly LiveSegment[]): Promise<boolean> {
    const ids = group.map(({ segment }) => segment.descriptor.id);
    const sources = async (folder: string) => {
      const segments: SegmentSource[] = [];
      for (const [i, { segment, dead }] of group.entries()) {
        const key = segment.place.key('rows');
        const path = join(folder, `source-${i}`);
        segments.push({
          key,
          rowsPath: await this.#space.local.keep(key, segment.descriptor.files.rows, path, newMeter()),
          keys: segment.keys.encode(),
          live: without(allBits(segment.rows), dead),
        });
      }
      return { segments };
    };
    return this.#build(state, sources, { remove: ids, graphs: true }, (current) => {
      const there = new Set(current.segments.map(({ segment }) => segment.descriptor.id));
      return ids.every((id) => there.has(id)) ? current.indexedVersion : undefined;
    });
  }

  /**
   * Builds, uploads, commits. `sourcesIn`: a folder that is there until it is done. `indexedVersionOf`: of the commit, judged by the newest state; undefined where another
   * indexer has done the work meanwhile.
   */
  async #build(
    state: HeadState,
    sourcesIn: (folder: string) => Promise<Pick<BuildJob, 'segments' | 'tail'>>,
    { remove, graphs }: { remove: string[]; graphs: boolean },
    indexedVersionOf: (state: HeadState) => number | undefined,
  ): Promise<boolean> {
    const settings = this.#settings(state.info);
    return inBuildFolder(async (folder) => {
      const built = await this.#pool.build({
        ...(await sourcesIn(folder)),
        settings: graphs ? settings : { ...settings, graphMinRows: Number.POSITIVE_INFINITY },
        folder,
        maxRows: this.#maxRows(state),
      });
      const storedSince = this.#head.now();
      const add: SegmentDescriptor[] = [];
      for (const [i, segment] of built.entries()) {
        const graphPending = !graphs && segment.rows >= settings.graphMinRows;
        const descriptor = await this.#upload(state, segment, join(folder, String(i)));
        add.push({ ...descriptor, ...(graphPending && { graphPending }) });
      }
      let committed = false;
      await this.#head.commit(
        (current): CommitBody | undefined => {
          const indexed = indexedVersionOf(current);
          committed = indexed !== undefined;
          if (indexed === undefined) return undefined;
          // Nothing was written since: this commit, too, need not be read again by those who have its checkpoint.
          const indexedVersion = current.lastWrite <= indexed ? current.version + 1 : indexed;
          return { kind: 'segments', add, remove, indexedVersion };
        },
        { storedSince },
      );
      return committed;
    });
  }

  async #upload({ info }: HeadState, built: BuiltSegment, folder: string): Promise<SegmentDescriptor> {
    const id = randomUUID();
    for (const kind of segmentFileKinds) {
      if (built.files[kind] === undefined) continue;
      const name = segmentFileNames[kind];
      const key = segmentKey(info.name, id, name);
      await putOnce(this.#space, key, () => createReadStream(join(folder, name), { highWaterMark: 1 << 18 }));
    }
    return {
      id,
      rows: built.rows,
      dimension: info.dimension,
      ...(info.encoder && { encoderHash: info.encoder.hash }),
      files: built.files,
    };
  }

  /**
   * A checkpoint of the newest state, where a segments commit has come since the last one. So every set of segments that
   * a reader may hold stands in a checkpoint, which garbage collection heeds.
   */
  async #checkpoint(): Promise<void> {
    const { state } = this.#head;
    const checkpoints = await listCheckpoints(this.#space.store, state.info.name, newMeter());
    if ((checkpoints.at(-1)?.version ?? 0) >= state.version) return;
    await writeCheckpoint(this.#space.store, state);
  }
}

/** Keys are random and so unique: that one is there already means that the answer to an earlier attempt was lost. */
async function putOnce(
  { store }: SegmentSpace,
  key: string,
  body: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store.put(key, body(), { ifAbsent: true });
      return;
    } catch (error) {
      if (error instanceof LookalikeError && error.code === 'object-exists' && attempt > 1) return;
      if (attempt === 3) throw error;
    }
  }
}
