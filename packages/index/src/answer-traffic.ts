import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds without a read for an answer before the next queries are prepared for: the first one is answered first. */
const loadDelay = 20;
/** However busy it is, that begins after so many milliseconds. */
const maxLoadDelay = 10_000;

/** Tells what an answer waits for from what is loaded for later ones, which would take its share of the line. */
export class AnswerTraffic {
  #waiting = 0;
  #endedAt = Number.NEGATIVE_INFINITY;

  /** Does what an answer waits for. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await work();
    } finally {
      this.#waiting--;
      this.#endedAt = performance.now();
    }
  }

  /** Resolves when no answer waits for the store. */
  async quiet(): Promise<void> {
    const deadline = performance.now() + maxLoadDelay;
    const isBusy = () => this.#waiting > 0 || performance.now() - this.#endedAt < loadDelay;
    do await sleep(loadDelay);
    while (isBusy() && performance.now() < deadline);
  }
}
