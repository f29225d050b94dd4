import { LookalikeError } from '@lookalike/store';
import type { Collection, RecallReport } from './engine.ts';

/** Compares a collection's ordinary answers with its exact ones, on items drawn from `ids`. */
export async function measureRecall(
  collection: Collection,
  ids: readonly string[],
  options: { sample: number; k: number; ef: number; seed: number },
): Promise<RecallReport> {
  const { k, ef } = options;
  if (ids.length < 2)
    throw new LookalikeError('too-few-items', 'recall needs a collection of at least two items');
  const sample = draw(ids, options.sample, options.seed);
  const milliseconds = { approximate: 0, exact: 0 };
  let found = 0;
  let expected = 0;
  for (const id of sample) {
    const timed = async (way: 'approximate' | 'exact') => {
      const started = performance.now();
      const request = { id, topK: k, include: [], consistency: 'eventual' } as const;
      const { matches } = await collection.query(
        way === 'exact' ? { ...request, exact: true } : { ...request, ef },
      );
      milliseconds[way] += performance.now() - started;
      return matches.map((match) => match.id);
    };
    const truth = new Set(await timed('exact'));
    expected += truth.size;
    for (const match of await timed('approximate')) if (truth.has(match)) found++;
  }
  return { sample: sample.length, k, recall: expected === 0 ? 1 : found / expected, ef, milliseconds };
}

/** `count` of the ids, or all, without repetition. */
function draw(ids: readonly string[], count: number, seed: number): string[] {
  const random = randomNumbers(seed);
  const pool = [...ids];
  const chosen = Math.min(count, pool.length);
  for (let i = 0; i < chosen; i++) {
    const other = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[other]] = [pool[other] as string, pool[i] as string];
  }
  return pool.slice(0, chosen);
}

/** Mulberry32: uniform in [0, 1), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
