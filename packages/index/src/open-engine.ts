import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { type CollectionOptions, LogCollection } from './collection.ts';
import type { Collection, CollectionConfig, CollectionInfo, SearchEngine } from './engine.ts';
import { GroupCommit } from './group-commit.ts';
import { Head } from './head.ts';
import { checkCollectionName, checkConfig, checkWhole } from './input-check.ts';
import { collectionsPrefix } from './log-keys.ts';

export interface EngineOptions {
  store: ObjectStore;
  /** Milliseconds between two commits of this process to one collection; default 100. */
  commitWindow?: number;
  /** Matches a page of a range search; default 1000. */
  rangePageSize?: number;
}

/** Opens the collections of an object store. Any number of engines, in any number of processes, may share one. */
export function openEngine(options: EngineOptions): SearchEngine {
  return new LogEngine(options);
}

interface Opened {
  head: Head;
  writer: GroupCommit;
}

class LogEngine implements SearchEngine {
  readonly #store: ObjectStore;
  readonly #options: CollectionOptions;
  readonly #opened = new Map<string, Opened>();
  #closed = false;

  constructor({ store, commitWindow = 100, rangePageSize = 1000 }: EngineOptions) {
    this.#store = store;
    this.#options = {
      commitWindow: checkWhole('commitWindow', commitWindow, 0, 60_000, 100),
      rangePageSize: checkWhole('rangePageSize', rangePageSize, 1, 10_000, 1000),
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
    const { head, writer } = this.#open(name);
    await head.refresh();
    if (head.state.incarnation === 0) throw unknownCollection(name);
    return new LogCollection(head, this.#store, writer, this.#options, () => this.#assertOpen());
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

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#opened.values()].map(({ writer }) => writer.idle()));
  }

  #open(name: string): Opened {
    this.#assertOpen();
    checkCollectionName(name);
    let opened = this.#opened.get(name);
    if (opened === undefined) {
      const head = new Head(this.#store, name);
      opened = { head, writer: new GroupCommit(head, this.#options.commitWindow) };
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
