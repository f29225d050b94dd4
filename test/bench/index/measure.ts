export interface Answers {
  /** Of each query, nearest first. */
  ids: string[][];
  /** Milliseconds of each query. */
  times: number[];
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

/** Milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Mean share of the true ids that were found. */
export function recallOf(found: readonly string[][], truth: readonly string[][]): number {
  let hits = 0;
  let wanted = 0;
  for (const [i, ids] of truth.entries()) {
    wanted += ids.length;
    for (const id of found[i] ?? []) if (ids.includes(id)) hits++;
  }
  return wanted === 0 ? 1 : hits / wanted;
}

/**
 * Contenders in turn, block after block of the queries, so that what else the machine does falls on all alike: medians over
 * `rounds` of the time of a query, in milliseconds.
 */
export async function interleaved(
  contenders: Record<string, () => Promise<unknown> | unknown>,
  queries: number,
  rounds: number,
): Promise<Record<string, { milliseconds: number; ratios: number[] }>> {
  const names = Object.keys(contenders);
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds + 1; round++)
    for (const name of names) {
      const time = (await timed(contenders[name] as () => unknown)) / queries;
      // The first round warms up.
      if (round > 0) times.get(name)?.push(time);
    }
  const first = times.get(names[0] as string) as number[];
  return Object.fromEntries(
    names.map((name) => {
      const own = times.get(name) as number[];
      // Of the first contender's time to this one's, round by round.
      return [name, { milliseconds: median(own), ratios: own.map((time, i) => (first[i] as number) / time) }];
    }),
  );
}

export function normalised(values: Float32Array): number[] {
  let sum = 0;
  for (const value of values) sum += value * value;
  const length = Math.sqrt(sum);
  return Array.from(values, (value) => value / length);
}
