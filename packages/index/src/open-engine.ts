import { availableParallelism, totalmem } from 'node:os';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import type {
  Administration,
  GarbageReport,
  SnapshotInfo,
  SweepReport,
  VerifyReport,
} from './administration.ts';
import { BuildPool } from './build-pool.ts';
import { newestCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { type CollectionOptions, LogCollection } from './collection.ts';
import { CollectionDirectory } from './collection-directory.ts';
import type { Collection, CollectionConfig, CollectionInfo, CollectionPage, SearchEngine } from './engine.ts';
import { collectGarbage } from './garbage.ts';
import { GroupCommit } from './group-commit.ts';
import { Head } from './head.ts';
import { Indexer, type IndexerOptions } from './indexer.ts';
import { checkCollectionName, checkConfig, checkName, checkWhole } from './input-check.ts';
import { LocalFiles } from './local-files.ts';
import { collectionsPrefix, snapshotKey } from './log-keys.ts';
import { MemoryBudget } from './memory-budget.ts';
import { newMeter } from './meter.ts';
import { isDamage } from './object-fetch.ts';
import type { SegmentSpace } from './segment-place.ts';
import { encodeSnapshot, listSnapshots, openSnapshot, SnapshotCollection } from './snapshot.ts';
import { verifyCollection } from './verify.ts';

export interface EngineOptions {
  store: ObjectStore;
  /** Milliseconds between two commits of this process to one collection; default 100. */
  commitWindow?: number;
  /** Matches a page of a range search; default 1000. */
  rangePageSize?: number;
  /**
   * Bytes not yet in segments from which writers wait, and then are refused; default 32 MiB, and 256 MiB where `maintenance` is off and
   * it takes longer until another process makes room.
   */
  maxTailBytes?: number;
  /** Bytes of codes, graphs and metadata columns kept in memory; default 1 GiB. */
  memoryBytes?: number;
  /**
   * Where files of other machines' stores are kept; default a folder of this user in the system's temporary one, refused with
   * `cache-not-own` where others can write to it.
   */
  cacheFolder?: string;
  /** Bytes of `cacheFolder`; default 8 GiB. */
  cacheBytes?: number;
  /** How long objects outlive their last use, for readers that still hold them (milliseconds); default 24 h. */
  grace?: number;
  /** Whether this engine turns commits into segments by itself; default true. */
  maintenance?: boolean;
  indexer?: Partial<IndexerOptions>;
  /** Segments built at once, a thread each; default the number of CPUs. */
  buildThreads?: number;
  /**
   * Bytes that builds take together at most, roughly: a segment has only as many rows as its graph and codes leave room for. Default
   * 2 GiB, or a quarter of the machine's memory where that is less.
   */
  buildBytes?: number;
  /** Milliseconds since 1970; default the system's clock. Only for grace periods. */
  now?: () => number;
}

/** Opens the collections of an object store. Any number of engines, in any number of processes, may share one. */
export function openEngine(options: EngineOptions): SearchEngine & Administration {
  return new LogEngine(options);
}

function defaultBuildBytes(): number {
  // 0 where no limit is known; huge where a container sets none.
  const memory = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  return Math.floor(Math.min(2 ** 31, memory / 4));
}

const day = 24 * 60 * 60 * 1000;

/** Milliseconds between two collections of garbage of a process that maintains collections. */
const sweepInterval = 3_600_000;

interface Opened {
  head: Head;
  writer: GroupCommit;
  indexer: Indexer;
  /** Calls under way that use it. */
  calls: number;
  /** Somebody has a collection that writes through it. */
  inUse: boolean;
}

class LogEngine implements SearchEngine, Administration {
  readonly #store: ObjectStore;
  readonly #space: SegmentSpace;
  readonly #pool: BuildPool;
  readonly #options: CollectionOptions;
  readonly #rangePageSize: number;
  readonly #grace: number;
  readonly #now: () => number;
  readonly #indexerOptions: Partial<IndexerOptions>;
  readonly #maintenance: boolean;
  readonly #opened = new Map<string, Opened>();
  readonly #directory: CollectionDirectory;
  readonly #sweeping: NodeJS.Timeout | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: EngineOptions) {
    const { store, cacheFolder, cacheBytes = 8 * 2 ** 30 } = options;
    this.#store = store;
    this.#pool = new BuildPool({
      size: checkWhole('buildThreads', options.buildThreads, 1, 64, availableParallelism()),
      maxBytes: checkWhole('buildBytes', options.buildBytes, 2 ** 20, 2 ** 50, defaultBuildBytes()),
    });
    this.#space = {
      store,
      local: new LocalFiles(store, { folder: cacheFolder, maxBytes: cacheBytes }),
      budget: new MemoryBudget(options.memoryBytes ?? 2 ** 30),
    };
    this.#grace = checkWhole('grace', options.grace, 60_000, 10 * 365 * day, day);
    this.#now = options.now ?? Date.now;
    this.#directory = new CollectionDirectory(store, { grace: this.#grace, now: this.#now });
    this.#maintenance = options.maintenance ?? true;
    this.#indexerOptions = options.indexer ?? {};
    this.#options = {
      commitWindow: checkWhole('commitWindow', options.commitWindow, 0, 60_000, 100),
      maxTailBytes: options.maxTailBytes ?? (this.#maintenance ? 32 : 256) * 2 ** 20,
    };
    this.#rangePageSize = checkWhole('rangePageSize', options.rangePageSize, 1, 10_000, 1000);
    if (this.#maintenance) this.#sweeping = setInterval(() => this.#sweepOften(), sweepInterval).unref();
  }

  async createCollection(name: string, config: CollectionConfig): Promise<CollectionInfo> {
    return this.#use(name, async ({ head }) => {
      const info = checkConfig(name, config);
      await head.refresh();
      await head.commit((state) => {
        if (state.incarnation === 0) return { kind: 'create', info };
        if (!sameConfig(state.info, info))
          throw new LookalikeError(
            'collection-exists',
            `collection ${name} exists with another configuration: ${describe(state.info)}, not ${describe(info)}`,
          );
        return undefined;
      });
      return info;
    });
  }

  async collection(name: string): Promise<Collection> {
    return this.#use(name, async (opened) => {
      const { head, writer, indexer } = opened;
      await head.refresh();
      if (head.state.incarnation === 0) throw unknownCollection(name);
      opened.inUse = true;
      return new LogCollection({
        head,
        writer,
        options: this.#options,
        ...this.#readerParts(),
        ...(this.#maintenance && { indexer }),
      });
    });
  }

  #readerParts() {
    return {
      store: this.#store,
      rangePageSize: this.#rangePageSize,
      assertOpen: () => this.#assertOpen(),
    };
  }

  async listCollections(options: { after?: string; limit?: number } = {}): Promise<CollectionPage> {
    this.#assertOpen();
    const limit = checkWhole('limit', options.limit, 1, 1000, 100);
    const page: CollectionPage = { collections: [], damaged: [] };
    let last: string | undefined;
    for await (const name of this.#names(options.after)) {
      const info = await this.#infoOf(name).catch((error: unknown) => {
        if (isDamage(error)) return error;
        throw error;
      });
      if (info === undefined) continue;
      if (last !== undefined && page.collections.length + page.damaged.length === limit)
        return { ...page, next: last };
      if (info instanceof LookalikeError) page.damaged.push({ name, error: info });
      else page.collections.push(info);
      last = name;
    }
    return page;
  }

  /** Undefined where there is no such collection. One that is not open stays so. */
  async #infoOf(name: string): Promise<CollectionInfo | undefined> {
    let head = this.#opened.get(name)?.head;
    if (head === undefined) {
      try {
        return await this.#directory.info(name);
      } catch (error) {
        if (!isDamage(error)) throw error;
        // An older checkpoint may do, or a newer one that has come.
        head = this.#newHead(name);
      }
    }
    await head.refresh();
    return head.state.incarnation === 0 ? undefined : head.state.info;
  }

  /** Of all collections, dropped ones too, after a name. */
  async *#names(after?: string): AsyncGenerator<string> {
    let startAfter = after === undefined ? undefined : behind(after);
    for (;;) {
      const page = await this.#store.list(collectionsPrefix, { limit: 1, ...(startAfter && { startAfter }) });
      const [first] = page.objects;
      if (first === undefined) return;
      const name = first.key.slice(collectionsPrefix.length).split('/', 1)[0] as string;
      yield name;
      startAfter = behind(name);
    }
  }

  async dropCollection(name: string): Promise<void> {
    await this.#use(name, async ({ head }) => {
      await head.refresh();
      await head.commit((state) => {
        if (state.incarnation === 0) throw unknownCollection(name);
        return { kind: 'drop' };
      });
      // Tells whoever sweeps, and begins the grace period of what is left. That it is dropped does not hang on it.
      if (head.state.incarnation === 0) await writeCheckpoint(this.#store, head.state).catch(() => undefined);
    });
  }

  async compact(name: string, options: { full?: boolean; rebuild?: boolean } = {}): Promise<void> {
    await this.#use(name, async ({ head, indexer }) => {
      await head.refresh();
      if (head.state.incarnation === 0) throw unknownCollection(name);
      await indexer.run(options);
    });
  }

  async collectGarbage(name: string, options: { grace?: number } = {}): Promise<GarbageReport> {
    return this.#use(name, async ({ head }) => {
      await head.refresh();
      const grace = checkWhole('grace', options.grace, 0, 10 * 365 * day, this.#grace);
      return collectGarbage(this.#store, head, this.#now() - grace);
    });
  }

  async sweep(options: { grace?: number } = {}): Promise<SweepReport> {
    this.#assertOpen();
    return this.#sweep(checkWhole('grace', options.grace, 0, 10 * 365 * day, this.#grace), () => true);
  }

  async #sweep(grace: number, isWanted: (name: string) => boolean | Promise<boolean>): Promise<SweepReport> {
    const report: SweepReport = { deleted: 0, failed: [] };
    for await (const name of this.#names()) {
      if (this.#closed) break;
      try {
        if (!(await isWanted(name))) continue;
        // Of its own where nobody uses the collection: what is in memory of it is let go.
        const head = this.#opened.get(name)?.head ?? this.#newHead(name);
        await head.refresh();
        report.deleted += (await collectGarbage(this.#store, head, this.#now() - grace)).deleted;
      } catch (error) {
        report.failed.push({ collection: name, error });
      }
    }
    return report;
  }

  /** Now and then: the collections that this process uses, and dropped ones, which no one does. */
  async #sweepOften(): Promise<void> {
    if (this.#closed || performance.now() - this.#sweptAt < sweepInterval / 2) return;
    this.#sweptAt = performance.now();
    await this.#sweep(this.#grace, async (name) => this.#opened.has(name) || this.#wasDropped(name)).catch(
      () => undefined,
    );
  }

  /** By the checkpoint that dropping writes: the whole state would be much to read of every collection. */
  async #wasDropped(name: string): Promise<boolean> {
    return (await newestCheckpoint(this.#store, name, newMeter()))?.incarnation === 0;
  }

  async createSnapshot(name: string, snapshot: string): Promise<{ version: number }> {
    return this.#use(name, async ({ head }) => {
      const key = checkedSnapshotKey(name, snapshot);
      await head.refresh();
      const { state } = head;
      if (state.incarnation === 0) throw unknownCollection(name);
      const began = this.#now();
      try {
        await this.#store.put(key, encodeSnapshot(state), { ifAbsent: true });
      } catch (error) {
        if (error instanceof LookalikeError && error.code === 'object-exists')
          throw new LookalikeError(
            'snapshot-exists',
            `collection ${name} has a snapshot ${snapshot} already`,
          );
        throw error;
      }
      // What it names may have been removed where nothing named it for so long.
      if (head.mayBeCollected(began)) {
        await this.#store.delete([key]);
        throw new LookalikeError('write-failed', `snapshot ${snapshot} of ${name} took too long: try again`);
      }
      return { version: state.version };
    });
  }

  async listSnapshots(name: string): Promise<SnapshotInfo[]> {
    this.#check(name);
    return listSnapshots(this.#store, name);
  }

  async openSnapshot(name: string, snapshot: string): Promise<Collection> {
    this.#check(name);
    checkedSnapshotKey(name, snapshot);
    const known = this.#opened.get(name)?.head.state.segments ?? [];
    const source = await openSnapshot(this.#space, name, snapshot, known);
    return new SnapshotCollection({ source, ...this.#readerParts() });
  }

  async deleteSnapshot(name: string, snapshot: string): Promise<void> {
    this.#check(name);
    await this.#store.delete([checkedSnapshotKey(name, snapshot)]);
  }

  async verify(name: string): Promise<VerifyReport> {
    this.#check(name);
    return verifyCollection(this.#space, name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    const opened = [...this.#opened.values()];
    await Promise.all(opened.map(({ writer }) => writer.idle()));
    await this.#pool.close();
    await Promise.all(opened.map(({ indexer }) => indexer.close()));
    this.#space.local.close();
  }

  /** Does something with what this process has of a collection; forgets that where there turns out to be no such collection. */
  async #use<T>(name: string, work: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = this.#open(name);
    opened.calls++;
    try {
      return await work(opened);
    } finally {
      opened.calls--;
      if (opened.calls === 0 && !opened.inUse && opened.head.state.incarnation === 0)
        this.#opened.delete(name);
    }
  }

  #open(name: string): Opened {
    this.#check(name);
    let opened = this.#opened.get(name);
    if (opened === undefined) {
      const head = this.#newHead(name);
      opened = {
        head,
        writer: new GroupCommit(head, this.#options.commitWindow),
        indexer: new Indexer(head, this.#space, this.#pool, this.#indexerOptions, () => this.#sweepOften()),
        calls: 0,
        inUse: false,
      };
      this.#opened.set(name, opened);
    }
    return opened;
  }

  /** Throws where the engine is closed, or there can be no such name. */
  #check(name: string): void {
    this.#assertOpen();
    checkCollectionName(name);
  }

  #newHead(name: string): Head {
    return new Head(this.#space, name, { grace: this.#grace, now: this.#now });
  }

  #assertOpen(): void {
    if (this.#closed) throw new LookalikeError('closed', 'the engine is closed');
  }
}

function checkedSnapshotKey(collection: string, snapshot: string): string {
  checkName('snapshot', snapshot);
  return snapshotKey(collection, snapshot);
}

function unknownCollection(name: string): LookalikeError {
  return new LookalikeError('unknown-collection', `there is no collection ${name}`);
}

/** A key after every key of the collection and before those of every later one ('0' follows '/'). */
function behind(name: string): string {
  return `${collectionsPrefix}${name}0`;
}

function sameConfig(a: CollectionInfo, b: CollectionInfo): boolean {
  return (
    a.dimension === b.dimension &&
    a.metric === b.metric &&
    a.encoder?.hash === b.encoder?.hash &&
    a.hnsw.m === b.hnsw.m &&
    a.hnsw.efConstruction === b.hnsw.efConstruction
  );
}

function describe({ dimension, metric, encoder, hnsw }: CollectionInfo): string {
  const parts = [`dimension ${dimension}`, metric, `m ${hnsw.m}`, `efConstruction ${hnsw.efConstruction}`];
  if (encoder !== undefined) parts.push(`encoder ${encoder.name} ${encoder.hash.slice(0, 12)}`);
  return parts.join(', ');
}
