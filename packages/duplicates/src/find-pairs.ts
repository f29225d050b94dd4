import { setImmediate } from 'node:timers/promises';
import { LookalikeError } from '@lookalike/store';
import { BlockJoin, ROWS_A_BLOCK } from './block-join.ts';
import type { EmbeddingTable } from './embedding-table.ts';
import { findPairsByGraph } from './graph-pairs.ts';
import { PairCollector, type SimilarPairs } from './similar-pairs.ts';

export interface FindPairsOptions {
  /** Pairs of at least this cosine similarity, in (0, 1]. */
  minSimilarity: number;
  /** Pair only rows before `boundary` with rows from it on: the pictures of one folder with those of another. */
  boundary?: number;
  /** Up to this many rows every pair is looked at; above, an HNSW graph is searched. Default 50,000. */
  exactUpTo?: number;
  /** Refuse to collect more than this; default 20 million (240 MB). */
  maxPairs?: number;
  signal?: AbortSignal;
  /** Called now and then with the share done, in [0, 1]. */
  onProgress?: (share: number) => void;
}

export interface FoundPairs {
  pairs: SimilarPairs;
  /** Every pair was looked at, so none is missing. */
  complete: boolean;
  /** The share of true pairs found: 1 where `complete`, else measured by scanning for a sample of rows. */
  recall: number;
}

const DEFAULT_EXACT_UP_TO = 50_000;
const DEFAULT_MAX_PAIRS = 20_000_000;

/**
 * All pairs of rows at least `minSimilarity` alike.
 *
 * Small tables are joined exactly, which takes as long as encoding a few hundred pictures; large ones through a graph.
 *
 * @throws LookalikeError `invalid-threshold`, `too-many-pairs`; the signal's reason where it is aborted.
 */
export async function findPairs(table: EmbeddingTable, options: FindPairsOptions): Promise<FoundPairs> {
  const { minSimilarity, boundary } = options;
  if (!(minSimilarity > 0 && minSimilarity <= 1))
    throw new LookalikeError(
      'invalid-threshold',
      `minimum similarity is ${minSimilarity}, expected a number above 0 and at most 1`,
    );
  if (table.count > (options.exactUpTo ?? DEFAULT_EXACT_UP_TO) && boundary === undefined)
    return findPairsByGraph(table, options);
  const collector = limitedCollector(options);
  await joinExactly(table, options, (a, b, similarity) => collector.add(a, b, similarity));
  return { pairs: collector.pairs(), complete: true, recall: 1 };
}

/** A collector that refuses to grow past the limit: a threshold so low that everything pairs with everything. */
export function limitedCollector(options: FindPairsOptions): Pick<PairCollector, 'add' | 'pairs'> {
  const collector = new PairCollector();
  const limit = options.maxPairs ?? DEFAULT_MAX_PAIRS;
  return {
    add(a, b, similarity) {
      if (collector.length >= limit)
        throw new LookalikeError(
          'too-many-pairs',
          `more than ${limit} pairs are at least ${options.minSimilarity} alike; ask for a higher similarity`,
        );
      collector.add(a, b, similarity);
    },
    pairs: () => collector.pairs(),
  };
}

const MILLISECONDS_BETWEEN_PAUSES = 30;

async function joinExactly(
  table: EmbeddingTable,
  options: FindPairsOptions,
  found: (a: number, b: number, similarity: number) => void,
): Promise<void> {
  const { count } = table;
  const blocks = new BlockJoin(table);
  const lastLeft = options.boundary ?? count;
  let pausedAt = performance.now();
  for (let leftStart = 0; leftStart < lastLeft; leftStart += ROWS_A_BLOCK) {
    const left = { start: leftStart, end: Math.min(lastLeft, leftStart + ROWS_A_BLOCK) };
    for (let start = options.boundary ?? leftStart; start < count; start += ROWS_A_BLOCK) {
      const right = { start, end: Math.min(count, start + ROWS_A_BLOCK) };
      blocks.run(left, right, options.minSimilarity, (a, b, similarity) => {
        // A block against itself meets every pair twice, and every row itself.
        if (a < b) found(a, b, similarity);
      });
      if (performance.now() - pausedAt > MILLISECONDS_BETWEEN_PAUSES) {
        options.signal?.throwIfAborted();
        options.onProgress?.(
          options.boundary === undefined
            ? 1 - ((count - leftStart) / count) ** 2
            : leftStart / Math.max(1, lastLeft),
        );
        await setImmediate();
        pausedAt = performance.now();
      }
    }
  }
  options.onProgress?.(1);
}
