import { LookalikeError } from '@lookalike/store';
import type { Collection, RecallReport } from './engine.ts';

/** Compares a collection's ordinary answers with its exact ones, for these items. */
export async function measureRecall(
  collection: Pick<Collection, 'query'>,
  ids: readonly string[],
  { k, ef }: { k: number; ef: number },
): Promise<RecallReport> {
  if (ids.length < 2)
    throw new LookalikeError('too-few-items', 'recall needs a collection of at least two items');
  const milliseconds = { approximate: 0, exact: 0 };
  let found = 0;
  let expected = 0;
  for (const id of ids) {
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
  return { sample: ids.length, k, recall: expected === 0 ? 1 : found / expected, ef, milliseconds };
}
