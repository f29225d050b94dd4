import { errorText } from '../cli-error.ts';

/** `warning`: it works, and somebody should look at it. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  check: string;
  status: Verdict;
  /** What was seen; where it is not well, what to do. */
  detail: string;
  milliseconds: number;
}

export type Outcome = Pick<Finding, 'status' | 'detail'>;

export const ok = (detail: string): Outcome => ({ status: 'ok', detail });
export const warning = (detail: string): Outcome => ({ status: 'warning', detail });
export const failed = (detail: string): Outcome => ({ status: 'failed', detail });
export const skipped = (detail: string): Outcome => ({ status: 'skipped', detail });

/** Checks one after the other, each told of as it ends. What a check throws is its failure and stops no other. */
export class Examination {
  readonly findings: Finding[] = [];
  readonly signal: AbortSignal;
  readonly #onFinding: (finding: Finding) => void;

  constructor(signal: AbortSignal, onFinding: (finding: Finding) => void) {
    this.signal = signal;
    this.#onFinding = onFinding;
  }

  /** Throws only what interrupted it. */
  async check(check: string, examine: () => Promise<Outcome>): Promise<Verdict> {
    const started = performance.now();
    let outcome: Outcome;
    try {
      outcome = await examine();
    } catch (error) {
      this.signal.throwIfAborted();
      outcome = failed(errorText(error));
    }
    const finding = { check, ...outcome, milliseconds: Math.round(performance.now() - started) };
    this.findings.push(finding);
    this.#onFinding(finding);
    return outcome.status;
  }

  /** The gravest of all: what was skipped says nothing. */
  get verdict(): Exclude<Verdict, 'skipped'> {
    const has = (status: Verdict) => this.findings.some((finding) => finding.status === status);
    return has('failed') ? 'failed' : has('warning') ? 'warning' : 'ok';
  }
}

/** Of some numbers of milliseconds: `median 12 ms, most 40 ms`. */
export function spread(milliseconds: number[]): string {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return `median ${median.toFixed(median < 10 ? 1 : 0)} ms, most ${(sorted.at(-1) ?? Number.NaN).toFixed(0)} ms`;
}

/** Milliseconds that each of `times` calls took. */
export async function timed(times: number, call: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let time = 0; time < times; time++) {
    const started = performance.now();
    await call();
    taken.push(performance.now() - started);
  }
  return taken;
}

/** Signatures of AWS are refused from five minutes on for some services, from fifteen for S3. */
export function clockOutcome(skew: number, whose: string): Outcome {
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (seconds <= 2) return ok(`as that of ${whose}`);
  const text = `${seconds} s ${skew > 0 ? 'behind' : 'ahead of'} that of ${whose}`;
  if (seconds > 300) return failed(`${text}: signed requests are refused; set the clock of this machine`);
  return seconds > 60 ? warning(`${text}: set the clock of this machine`) : ok(text);
}
