/** Milliseconds after the first failure. */
const firstPause = 500;
const longestPause = 60_000;

/** How long to leave alone what failed and may succeed another time: longer after each failure, up to a minute. */
export class RetryPause {
  #failures = 0;
  #until = 0;

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#until = performance.now() + Math.min(longestPause, firstPause * 2 ** this.#failures++);
  }
}
