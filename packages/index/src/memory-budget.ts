/**
 * Keeps what was loaded within a number of bytes: where it grows beyond, the longest unused is let go. What is let go is
 * still valid for whoever holds it, and can be loaded again.
 */
export class MemoryBudget {
  readonly limit: number;
  readonly #held = new Map<object, { bytes: number; release: () => void }>();
  #used = 0;

  /** Bytes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Counts `owner`, as the most recently used. */
  hold(owner: object, bytes: number, release: () => void): void {
    this.drop(owner);
    this.#held.set(owner, { bytes, release });
    this.#used += bytes;
    for (const [other, held] of this.#held) {
      if (this.#used <= this.limit || other === owner) break;
      this.drop(other);
      held.release();
    }
  }

  touch(owner: object): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    this.#held.delete(owner);
    this.#held.set(owner, held);
  }

  /** No longer counts `owner`. */
  drop(owner: object): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    this.#held.delete(owner);
    this.#used -= held.bytes;
  }
}
