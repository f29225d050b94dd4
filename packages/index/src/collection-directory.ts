import type { ObjectStore } from '@lookalike/store';
import { newestCheckpoint } from './checkpoint.ts';
import { CommitLog } from './commit-log.ts';
import type { CollectionInfo } from './engine.ts';
import { newMeter } from './meter.ts';

interface Known {
  version: number;
  /** Undefined: there is no collection of that name. */
  info: CollectionInfo | undefined;
  readAt: number;
}

/** What the collections of a store are, without what is in them: of each the newest checkpoint and the commits after it are read. */
export class CollectionDirectory {
  readonly #store: ObjectStore;
  readonly #grace: number;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  /** `grace`: milliseconds after which commits may be gone. */
  constructor(store: ObjectStore, options: { grace: number; now: () => number }) {
    this.#store = store;
    this.#grace = options.grace;
    this.#now = options.now;
  }

  /** Undefined where there is no such collection; throws where the newest checkpoint or a commit after it is damaged or missing. */
  async info(name: string): Promise<CollectionInfo | undefined> {
    const readAt = this.#now();
    const meter = newMeter();
    const known = this.#known.get(name);
    const isRecent = known !== undefined && readAt - known.readAt <= this.#grace / 4;
    let { version, info } = isRecent ? known : await this.#fromCheckpoint(name);
    const log = new CommitLog(this.#store, name);
    for await (const next of log.after(version, meter, { thorough: !isRecent })) {
      version = next.version;
      if (next.commit.kind === 'create') info = next.commit.info;
      if (next.commit.kind === 'drop') info = undefined;
    }
    this.#known.set(name, { version, info, readAt });
    return info;
  }

  async #fromCheckpoint(name: string): Promise<Pick<Known, 'version' | 'info'>> {
    const newest = await newestCheckpoint(this.#store, name, newMeter());
    if (newest === undefined) return { version: 0, info: undefined };
    const { version, incarnation, info } = newest;
    return { version, info: incarnation === 0 ? undefined : info };
  }
}
