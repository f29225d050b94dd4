import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import type { Administration, GarbageReport, VerifyReport } from './administration.ts';
import { BuildPool } from './build-pool.ts';
import { type CollectionOptions, LogCollection } from './collection.ts';
import type { Collection, CollectionConfig, CollectionInfo, SearchEngine } from './engine.ts';
import { collectGarbage } from './garbage.ts';
import { GroupCommit } from './group-commit.ts';
import { Head } from './head.ts';
import { Indexer, type IndexerOptions } from './indexer.ts';
import { checkCollectionName, checkConfig, checkWhole } from './input-check.ts';
import { LocalFiles } from './local-files.ts';
import { collectionsPrefix } from './log-keys.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { SegmentSpace } from './segment.ts';
import { verifyCollection } from './verify.ts';

export interface EngineOptions {
  store: ObjectStore;
  /** Milliseconds between two commits of this process to one collection; default 100. */
  commitWindow?: number;
  /** Matches a page of a range search; default 1000. */
  rangePageSize?: number;
  /** Bytes not yet in segments from which writers wait, and then are refused; default 256 MiB. */
  maxTailBytes?: number;
  /** Bytes of codes, graphs and metadata columns kept in memory; default 1 GiB. */
  memoryBytes?: number;
  /** Where files of other machines' stores are kept; default a folder of the system's temporary one. */
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
  /** Milliseconds since 1970; default the system's clock. Only for grace periods. */
  now?: () => number;
}

/** Opens the collections of an object store. Any number of engines, in any number of processes, may share one. */
export function openEngine(options: EngineOptions): SearchEngine & Administration {
  return new LogEngine(options);
}

const day = 24 * 60 * 60 * 1000;

interface Opened {
  head: Head;
  writer: GroupCommit;
  indexer: Indexer;
}

class LogEngine implements SearchEngine, Administration {
  readonly #store: ObjectStore;
  readonly #space: SegmentSpace;
  readonly #pool: BuildPool;
  readonly #options: CollectionOptions;
  readonly #grace: number;
  readonly #now: () => number;
  readonly #indexerOptions: Partial<IndexerOptions>;
  readonly #maintenance: boolean;
  readonly #opened = new Map<string, Opened>();
  #closed = false;

  constructor(options: EngineOptions) {
    const { store, cacheFolder = join(tmpdir(), 'lookalike-cache'), cacheBytes = 8 * 2 ** 30 } = options;
    this.#store = store;
    this.#pool = new BuildPool(
      checkWhole('buildThreads', options.buildThreads, 1, 64, availableParallelism()),
    );
    this.#space = {
      store,
      local: new LocalFiles(store, { folder: cacheFolder, maxBytes: cacheBytes }),
      budget: new MemoryBudget(options.memoryBytes ?? 2 ** 30),
    };
    this.#grace = checkWhole('grace', options.grace, 60_000, 10 * 365 * day, day);
    this.#now = options.now ?? Date.now;
    this.#maintenance = options.maintenance ?? true;
    this.#indexerOptions = options.indexer ?? {};
    this.#options = {
      commitWindow: checkWhole('commitWindow', options.commitWindow, 0, 60_000, 100),
      rangePageSize: checkWhole('rangePageSize', options.rangePageSize, 1, 10_000, 1000),
      maxTailBytes: options.maxTailBytes ?? 256 * 2 ** 20,
    };
  }

  async createCollection(name: string, config: CollectionConfig): Promise<CollectionInfo> {
    const { head } = this.#open(name);
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
  }

  async collection(name: string): Promise<Collection> {
    const { head, writer, indexer } = this.#open(name);
    await head.refresh();
    if (head.state.incarnation === 0) throw unknownCollection(name);
    return new LogCollection({
      head,
      store: this.#store,
      writer,
      options: this.#options,
      assertOpen: () => this.#assertOpen(),
      ...(this.#maintenance && { indexer }),
    });
  }

  async listCollections(
    options: { after?: string; limit?: number } = {},
  ): Promise<{ collections: CollectionInfo[]; next?: string }> {
    this.#assertOpen();
    const limit = checkWhole('limit', options.limit, 1, 1000, 100);
    const collections: CollectionInfo[] = [];
    let startAfter = options.after === undefined ? undefined : behind(options.after);
    for (;;) {
      const page = await this.#store.list(collectionsPrefix, { limit: 1, ...(startAfter && { startAfter }) });
      const [first] = page.objects;
      if (first === undefined) return { collections };
      const name = first.key.slice(collectionsPrefix.length).split('/', 1)[0] as string;
      startAfter = behind(name);
      const { head } = this.#open(name);
      await head.refresh();
      if (head.state.incarnation === 0) continue;
      if (collections.length === limit) return { collections, next: collections.at(-1)?.name as string };
      collections.push(head.state.info);
    }
  }

  async dropCollection(name: string): Promise<void> {
    const { head } = this.#open(name);
    await head.refresh();
    await head.commit((state) => {
      if (state.incarnation === 0) throw unknownCollection(name);
      return { kind: 'drop' };
    });
  }

  async compact(name: string, options: { full?: boolean; rebuild?: boolean } = {}): Promise<void> {
    const { head, indexer } = this.#open(name);
    await head.refresh();
    if (head.state.incarnation === 0) throw unknownCollection(name);
    await indexer.run(options);
  }

  async collectGarbage(name: string, options: { grace?: number } = {}): Promise<GarbageReport> {
    const { head } = this.#open(name);
    await head.refresh();
    const grace = checkWhole('grace', options.grace, 0, 10 * 365 * day, this.#grace);
    return collectGarbage(this.#store, head, this.#now() - grace);
  }

  async verify(name: string): Promise<VerifyReport> {
    this.#open(name);
    return verifyCollection(this.#space, name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = [...this.#opened.values()];
    await Promise.all(opened.map(({ writer }) => writer.idle()));
    await this.#pool.close();
    await Promise.all(opened.map(({ indexer }) => indexer.close()));
    this.#space.local.close();
  }

  #open(name: string): Opened {
    this.#assertOpen();
    checkCollectionName(name);
    let opened = this.#opened.get(name);
    if (opened === undefined) {
      const head = new Head(this.#space, name, { grace: this.#grace, now: this.#now });
      opened = {
        head,
        writer: new GroupCommit(head, this.#options.commitWindow),
        indexer: new Indexer(head, this.#space, this.#pool, this.#indexerOptions, () =>
          collectGarbage(this.#store, head, this.#now() - this.#grace),
        ),
      };
      this.#opened.set(name, opened);
    }
    return opened;
  }

  #assertOpen(): void {
    if (this.#closed) throw new LookalikeError('closed', 'the engine is closed');
  }
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
