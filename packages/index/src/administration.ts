import type { Collection } from './engine.ts';

/** What is done to collections rather than asked of them. */
export interface Administration {
  /**
   * Puts all that is written into segments and merges those that are small or have many dead rows. `full`: merges all,
   * so that no deleted row keeps its bytes. `rebuild`: makes every segment anew from its rows, graphs and codes too.
   * Safe to run anywhere, twice, at once.
   */
  compact(name: string, options?: { full?: boolean; rebuild?: boolean }): Promise<void>;

  /** Removes objects that nothing has needed for `grace` milliseconds (default the engine's). */
  collectGarbage(name: string, options?: { grace?: number }): Promise<GarbageReport>;

  /**
   * Collects the garbage of every collection and what is left of dropped ones, of which in the end only the log's last commit and
   * its checkpoint stay, so that the numbers of commits never begin again. A failure at one does not stop the others.
   */
  sweep(options?: { grace?: number }): Promise<SweepReport>;

  /**
   * Keeps the collection as it is now, whatever is written, compacted, collected or dropped later, at the cost of one object: its
   * segments are shared, and stay stored while a snapshot names them, deleted items too. `LookalikeError('snapshot-exists')` where
   * the name, 1-64 characters as of collections, is taken. Returns the version it holds.
   */
  createSnapshot(collection: string, snapshot: string): Promise<{ version: number }>;

  /** By name; those of a dropped collection too. */
  listSnapshots(collection: string): Promise<SnapshotInfo[]>;

  /** To read, `exportArrow` and so copy; writes throw `LookalikeError('read-only')`. `LookalikeError('unknown-snapshot')`. */
  openSnapshot(collection: string, snapshot: string): Promise<Collection>;

  /** What only it named goes with the next garbage. That there is none of the name is no error. */
  deleteSnapshot(collection: string, snapshot: string): Promise<void>;

  /** Reads every object, those of snapshots too, and says what is damaged and what still holds. */
  verify(name: string): Promise<VerifyReport>;
}

export interface SnapshotInfo {
  name: string;
  /** Of its own object: rows that were in no segment yet, and names. */
  bytes: number;
  /** By the store's clock. */
  createdAt: Date;
}

export interface SweepReport {
  deleted: number;
  failed: { collection: string; error: unknown }[];
}

export interface GarbageReport {
  deleted: number;
}

export interface DamagedObject {
  key: string;
  problem: string;
  /** Whether all answers stay right without it; then `compact` with `rebuild` makes it anew. */
  repairable: boolean;
}

export interface VerifyReport {
  version: number;
  objects: number;
  bytes: number;
  /** Live items counted from the objects themselves, not from a checkpoint. */
  items: number;
  damaged: DamagedObject[];
}
