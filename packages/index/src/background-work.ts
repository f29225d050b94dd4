import { RetryPause } from './retry-pause.ts';

/** Work done in the background where there is some, one run at a time. */
export class BackgroundWork {
  readonly #isDue: () => boolean;
  readonly #work: () => Promise<unknown>;
  #running: Promise<void> | undefined;
  readonly #pause = new RetryPause();

  constructor(isDue: () => boolean, work: () => Promise<unknown>) {
    this.#isDue = isDue;
    this.#work = work;
  }

  /** Begins a run where one is due and none is under way. */
  poke(): void {
    if (this.#running !== undefined || !this.#pause.isOver) return;
    if (!this.#isDue()) return;
    this.#running = this.#work()
      .then(() => {
        this.#pause.succeeded();
      })
      .catch(() => {
        // Nothing is lost by it, and the next poke tries again; a store that fails also fails the writes that poke.
        this.#pause.failed();
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** When the run under way is over. */
  async idle(): Promise<void> {
    await this.#running;
  }
}
