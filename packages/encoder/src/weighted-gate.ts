/**
 * Lets work through while the weights of what is inside sum to at most `capacity`, in order of arrival. Something heavier
 * than the whole capacity goes in alone.
 */
export class WeightedGate {
  readonly #capacity: number;
  #inside = 0;
  readonly #waiting: { weight: number; enter: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Runs `work` when there is room for `weight`.
   * @throws the signal's reason where it aborts before the work has begun.
   */
  async run<T>(weight: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const cost = Math.min(weight, this.#capacity);
    await this.#enter(cost, signal);
    try {
      return await work();
    } finally {
      this.#inside -= cost;
      this.#admit();
    }
  }

  #enter(weight: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const abandon = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason);
        this.#admit();
      };
      const waiter = {
        weight,
        enter: () => {
          signal?.removeEventListener('abort', abandon);
          resolve();
        },
      };
      signal?.addEventListener('abort', abandon, { once: true });
      this.#waiting.push(waiter);
      this.#admit();
    });
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (this.#inside + next.weight > this.#capacity) return;
      this.#waiting.shift();
      this.#inside += next.weight;
      next.enter();
    }
  }
}
