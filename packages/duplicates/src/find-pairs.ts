import { setImmediate } from 'node:timers/promises';
import { LookalikeError } from '@lookalike/store';
import { BlockJoin, ROWS_A_BLOCK } from './block-join.ts';
import type { EmbeddingTable } from './embedding-table.ts';
import { PairCollector, type SimilarPairs } from './similar-pairs.ts';

export interface FindPairsOptions {
  /** Pairs of at least this cosine similarity, in (0, 1]. */
  minSimilarity: number;
  /** Which rows to compare with which; default: all with each other. No pair may be in two of them. */
  comparisons?: readonly Comparison[];
  /** All rows with each other: up to this many every pair is looked at; above, an HNSW graph is searched where there is the library for it. Default 50,000. */
  exactUpTo?: number;
  /** Refuse to collect more than this; default 20 million (240 MB). */
  maxPairs?: number;
  signal?: AbortSignal;
  /** Called now and then with the share done, in [0, 1]. */
  onProgress?: (share: number) => void;
}

/** Rows of a table: `start` (inclusive) to `end` (exclusive). */
export interface RowRange {
  start: number;
  end: number;
}

/** Every row on the left with every row on the right: ranges that share no row, or are the same. */
export interface Comparison {
  left: RowRange;
  right: RowRange;
}

export interface FoundPairs {
  pairs: SimilarPairs;
  /** Every pair was looked at, so none is missing. */
  complete: boolean;
  /** The share of true pairs found: 1 where `complete`, else measured by scanning for a sample of rows. */
  recall: number;
  /** How many pairs of rows were looked at. */
  compared: number;
}

export const DEFAULT_EXACT_UP_TO = 50_000;
const DEFAULT_MAX_PAIRS = 20_000_000;

/**
 * All pairs of rows at least `minSimilarity` alike.
 *
 * Small tables are joined exactly, which takes as long as encoding a few hundred pictures; large ones through a graph.
 *
 * @throws LookalikeError `invalid-threshold`, `too-many-pairs`; the signal's reason where it is aborted.
 */
export async function findPairs(table: EmbeddingTable, options: FindPairsOptions): Promise<FoundPairs> {
  const { minSimilarity, comparisons, signal } = options;
  signal?.throwIfAborted();
  if (!(minSimilarity > 0 && minSimilarity <= 1))
    throw new LookalikeError(
      'invalid-threshold',
      `minimum similarity is ${minSimilarity}, expected a number above 0 and at most 1`,
    );
  if (!comparisons && table.count > (options.exactUpTo ?? DEFAULT_EXACT_UP_TO)) {
    // Only large tables need the library, which not every machine has: comparing every pair takes longer there.
    const { findPairsByGraph, hasGraphLibrary } = await import('./graph-pairs.ts');
    if (hasGraphLibrary) return findPairsByGraph(table, options);
  }
  const all = { start: 0, end: table.count };
  const collector = limitedCollector(options);
  const compared = await joinExactly(
    table,
    comparisons ?? [{ left: all, right: all }],
    options,
    (a, b, similarity) => collector.add(a, b, similarity),
  );
  return { pairs: collector.pairs(), complete: true, recall: 1, compared };
}

/** How many pairs a comparison looks at. */
export function pairsCompared({ left, right }: Comparison): number {
  const rows = left.end - left.start;
  return left.start === right.start ? (rows * (rows - 1)) / 2 : rows * (right.end - right.start);
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
  comparisons: readonly Comparison[],
  options: FindPairsOptions,
  found: (a: number, b: number, similarity: number) => void,
): Promise<number> {
  const blocks = new BlockJoin(table);
  const total = comparisons.reduce((sum, comparison) => sum + pairsCompared(comparison), 0);
  let done = 0;
  let pausedAt = performance.now();
  for (const { left, right } of comparisons) {
    const isTriangle = left.start === right.start;
    for (let leftStart = left.start; leftStart < left.end; leftStart += ROWS_A_BLOCK) {
      const leftBlock = { start: leftStart, end: Math.min(left.end, leftStart + ROWS_A_BLOCK) };
      for (let start = isTriangle ? leftStart : right.start; start < right.end; start += ROWS_A_BLOCK) {
        const rightBlock = { start, end: Math.min(right.end, start + ROWS_A_BLOCK) };
        blocks.run(leftBlock, rightBlock, options.minSimilarity, (a, b, similarity) => {
          // A block against itself meets every pair twice, and every row itself.
          if (!isTriangle || a < b) found(a, b, similarity);
        });
        done += pairsCompared({ left: leftBlock, right: rightBlock });
        if (performance.now() - pausedAt > MILLISECONDS_BETWEEN_PAUSES) {
          options.signal?.throwIfAborted();
          options.onProgress?.(done / Math.max(1, total));
          await setImmediate();
          pausedAt = performance.now();
        }
      }
    }
  }
  options.onProgress?.(1);
  return done;
}
