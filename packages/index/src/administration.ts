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

  /** Reads every object and says what is damaged and what still holds. */
  verify(name: string): Promise<VerifyReport>;
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
