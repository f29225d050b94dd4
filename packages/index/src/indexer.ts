import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookalikeError } from '@lookalike/store';
import { allBits, without } from './bits.ts';
import type { BuildJob, SegmentSource } from './build-job.ts';
import type { BuildPool } from './build-pool.ts';
import { listCheckpoints, writeCheckpoint } from './checkpoint.ts';
import type { CommitBody } from './commit.ts';
import { chooseMerges } from './compaction-plan.ts';
import type { Head } from './head.ts';
import type { HeadState, LiveSegment } from './head-state.ts';
import { segmentKey } from './log-keys.ts';
import { newMeter } from './meter.ts';
import { packTail } from './packed-rows.ts';
import { inParallel, type SegmentSpace } from './segment.ts';
import type { BuiltSegment } from './segment-builder.ts';
import { type SegmentDescriptor, segmentFileNames } from './segment-descriptor.ts';

export interface IndexerOptions {
  /** Rows of the tail from which it becomes a segment. */
  flushRows: number;
  /** Commits of the tail from which it becomes a segment: each is an object that a cold reader fetches. */
  flushCommits: number;
  /** Bytes of the tail from which it becomes a segment. */
  flushBytes: number;
  /** Rows from which a segment gets a graph; below, the flat search is as fast. */
  graphMinRows: number;
  /** Rows that a segment never exceeds. */
  maxSegmentRows: number;
}

const defaults: IndexerOptions = {
  flushRows: 25_000,
  flushCommits: 500,
  flushBytes: 64 * 2 ** 20,
  graphMinRows: 20_000,
  maxSegmentRows: 1_000_000,
};

/** After a failure, automatic runs wait this long (milliseconds), doubled each time up to a minute. */
const firstPause = 500;

/**
 * Turns the tail of a collection into segments and merges segments. All it decides is decided by commits, so any number of
 * them may run anywhere, and die at any point: what was built for nothing is garbage.
 */
export class Indexer {
  readonly #head: Head;
  readonly #space: SegmentSpace;
  readonly #pool: BuildPool;
  readonly #options: IndexerOptions;
  readonly #afterWork: (() => Promise<unknown>) | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #notBefore = 0;
  #closed = false;

  /** `afterWork`: done after automatic work, which is what makes garbage. */
  constructor(
    head: Head,
    space: SegmentSpace,
    pool: BuildPool,
    options: Partial<IndexerOptions>,
    afterWork?: () => Promise<unknown>,
  ) {
    this.#afterWork = afterWork;
    this.#head = head;
    this.#space = space;
    this.#pool = pool;
    this.#options = { ...defaults, ...options };
  }

  /** Begins to work in the background, where there is work and none is under way. */
  poke(): void {
    if (this.#running !== undefined || this.#closed || performance.now() < this.#notBefore) return;
    const { state } = this.#head;
    if (!this.#flushIsDue(state) && this.#merges(state).length === 0) return;
    this.#running = this.#work()
      .then(() => {
        this.#failures = 0;
      })
      .catch(() => {
        // Nothing is lost by it, and the next write tries again; a store that fails also fails that write.
        this.#notBefore = performance.now() + Math.min(60_000, firstPause * 2 ** this.#failures++);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  /** See `Administration.compact`. */
  async run(options: { full?: boolean; rebuild?: boolean } = {}): Promise<void> {
    await this.#running;
    const { full = false, rebuild = false } = options;
    // All that was written when this was called.
    const { version } = this.#head.state;
    while (this.#head.state.indexedVersion < version && (await this.#flush(this.#head.state)));
    if (full || rebuild) await this.#mergeAll(full);
    else await this.#mergeWhileDue();
    await this.#checkpoint();
  }

  async #work(): Promise<void> {
    while (!this.#closed && this.#flushIsDue(this.#head.state)) {
      await this.#flush(this.#head.state);
      await this.#checkpoint();
    }
    await this.#mergeWhileDue();
    await this.#afterWork?.();
  }

  #flushIsDue({ tail, lastWrite, indexedVersion }: HeadState): boolean {
    const { flushRows, flushCommits, flushBytes } = this.#options;
    return tail.count >= flushRows || tail.bytes >= flushBytes || lastWrite - indexedVersion >= flushCommits;
  }

  #merges(state: HeadState): LiveSegment[][] {
    return chooseMerges(state.segments, this.#options.maxSegmentRows);
  }

  async #mergeWhileDue(): Promise<void> {
    while (!this.#closed) {
      const { state } = this.#head;
      const merges = this.#merges(state);
      if (merges.length === 0) return;
      const done = await Promise.all(
        merges.slice(0, this.#pool.size).map((merge) => this.#merge(state, merge)),
      );
      await this.#checkpoint();
      if (this.#flushIsDue(this.#head.state)) await this.#flush(this.#head.state);
      // Another indexer was faster: look again at what it left.
      if (!done.includes(true)) await this.#head.refresh();
    }
  }

  /** All segments anew, in parallel groups; together, or (a rebuild) each by itself. */
  async #mergeAll(together: boolean): Promise<void> {
    const { state } = this.#head;
    const groups: LiveSegment[][] = [];
    let rows = Number.POSITIVE_INFINITY;
    for (const live of state.segments) {
      const size = live.segment.rows - live.deadCount;
      if (!together || rows + size > this.#options.maxSegmentRows) {
        groups.push([]);
        rows = 0;
      }
      groups.at(-1)?.push(live);
      rows += size;
    }
    await inParallel(groups, this.#pool.size, async (group) => {
      await this.#merge(state, group);
    });
  }

  /** The tail as segments; of deletes alone, nothing but the word that they are done. */
  async #flush(state: HeadState): Promise<boolean> {
    const { indexedVersion, lastWrite, incarnation } = state;
    if (incarnation === 0 || lastWrite <= indexedVersion) return false;
    const last = this.#flushEnd(state);
    return this.#build(state, { segments: [], tail: packTail(state, last) }, [], (current) =>
      current.incarnation === incarnation && current.indexedVersion === indexedVersion ? last : undefined,
    );
  }

  /** Up to which version to flush: a tail that grew while others were built goes in parts, for the sake of memory. */
  #flushEnd({ tail, version }: HeadState): number {
    const rowBytes = tail.bytes / Math.max(1, tail.count);
    const rows = Math.max(this.#options.flushRows, Math.floor(this.#options.flushBytes / rowBytes));
    return tail.count <= 2 * rows ? version : (tail.versions[rows] as number);
  }

  async #merge(state: HeadState, group: readonly LiveSegment[]): Promise<boolean> {
    const ids = group.map(({ segment }) => segment.descriptor.id);
    const segments: SegmentSource[] = [];
    for (const { segment, dead } of group) {
      const { rows } = segment.descriptor.files;
      segments.push({
        key: segment.key('rows'),
        rowsPath: await this.#space.local.need(segment.key('rows'), rows, newMeter()),
        keys: segment.keys.encode(),
        live: without(allBits(segment.rows), dead),
      });
    }
    return this.#build(state, { segments }, ids, (current) => {
      const there = new Set(current.segments.map(({ segment }) => segment.descriptor.id));
      return ids.every((id) => there.has(id)) ? current.indexedVersion : undefined;
    });
  }

  /**
   * Builds, uploads, commits. `indexedVersionOf`: of the commit, judged by the newest state; undefined where another
   * indexer has done the work meanwhile.
   */
  async #build(
    state: HeadState,
    sources: Pick<BuildJob, 'segments' | 'tail'>,
    remove: string[],
    indexedVersionOf: (state: HeadState) => number | undefined,
  ): Promise<boolean> {
    const { metric, dimension, hnsw } = state.info;
    const folder = await mkdtemp(join(tmpdir(), 'lookalike-build-'));
    try {
      const built = await this.#pool.build({
        ...sources,
        settings: { metric, dimension, hnsw, graphMinRows: this.#options.graphMinRows },
        folder,
        maxRows: this.#options.maxSegmentRows,
      });
      const add: SegmentDescriptor[] = [];
      for (const [i, segment] of built.entries())
        add.push(await this.#upload(state, segment, join(folder, String(i))));
      let committed = false;
      await this.#head.commit((current): CommitBody | undefined => {
        const indexed = indexedVersionOf(current);
        committed = indexed !== undefined;
        if (indexed === undefined) return undefined;
        // Nothing was written since: this commit, too, need not be read again by those who have its checkpoint.
        const indexedVersion = current.lastWrite <= indexed ? current.version + 1 : indexed;
        return { kind: 'segments', add, remove, indexedVersion };
      });
      return committed;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #upload({ info }: HeadState, built: BuiltSegment, folder: string): Promise<SegmentDescriptor> {
    const id = randomUUID();
    for (const kind of ['rows', 'keys', 'codes', 'graph'] as const) {
      if (built.files[kind] === undefined) continue;
      const name = segmentFileNames[kind];
      const key = segmentKey(info.name, id, name);
      await putOnce(this.#space, key, () => createReadStream(join(folder, name), { highWaterMark: 1 << 20 }));
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
