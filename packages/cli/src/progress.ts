/** Where progress goes; of `process.stderr` the parts that matter. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  label: string;
  total: number;
  /** What is counted, in the plural. */
  unit: string;
  stream?: ProgressStream;
  /** Say nothing unless on a terminal: for output that programs read. */
  silentInPipe?: boolean;
  /** Milliseconds; tests set it. */
  now?: () => number;
}

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 5000;
const BAR_CELLS = 24;

/**
 * A progress bar with rate and time left on a terminal, a plain line every few seconds in a pipe. It writes to standard
 * error, so that standard output stays the result.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #startedAt: number;
  #shownAt: number;
  #done = 0;
  #total: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#total = options.total;
    this.#stream = options.stream ?? process.stderr;
    this.#now = options.now ?? (() => performance.now());
    this.#startedAt = this.#now();
    this.#shownAt = this.#startedAt;
  }

  /** Moves to `done` of the total; of a new total, where more came to light. */
  update(done: number, total = this.#total): void {
    this.#done = done;
    this.#total = total;
    const now = this.#now();
    if (this.#stream.isTTY) {
      if (now - this.#shownAt < REDRAW_MS && this.#drawn) return;
      this.#draw(now);
    } else if (!this.#options.silentInPipe && now - this.#shownAt >= PLAIN_LINE_MS) {
      this.#stream.write(`${this.#text(now)}\n`);
      this.#shownAt = now;
    }
  }

  /** Takes the bar away; in a pipe, says how it ended where it said anything before or took long. */
  end(): void {
    const now = this.#now();
    if (this.#drawn) this.#stream.write('\r\x1b[K');
    else if (!this.#stream.isTTY && !this.#options.silentInPipe && now - this.#startedAt >= PLAIN_LINE_MS)
      this.#stream.write(`${this.#text(now)}\n`);
    this.#drawn = false;
  }

  #draw(now: number): void {
    const share = this.#total === 0 ? 1 : this.#done / this.#total;
    const filled = Math.round(share * BAR_CELLS);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
    const line = `${bar} ${this.#text(now)}`.slice(0, Math.max(20, (this.#stream.columns || 80) - 1));
    this.#stream.write(`\r${line}\x1b[K`);
    this.#shownAt = now;
    this.#drawn = true;
  }

  #text(now: number): string {
    const { label, unit } = this.#options;
    const total = this.#total;
    const seconds = (now - this.#startedAt) / 1000;
    const rate = seconds > 0 ? this.#done / seconds : 0;
    const head = `${label} ${this.#done}/${total} ${unit}`;
    if (rate === 0 || seconds < 0.5) return head;
    const left = (total - this.#done) / rate;
    return `${head}, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s${left > 0 ? `, ${duration(left)} left` : ''}`;
  }
}

/** `8 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
