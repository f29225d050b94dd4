import { setImmediate } from 'node:timers/promises';
import { LookalikeError } from '@lookalike/store';
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
 * Small tables are joined exactly. Most pairs are dismissed after the first quarter of their numbers: with a = (a1, a2),
 * Cauchy-Schwarz bounds a·b by a1·b1 + |a2||b2|, and the numbers that vary most are put first to make the bound tight.
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

// 64 rows x 256 numbers are 64 KB: two blocks stay in the second-level cache while all their pairs are looked at.
const ROWS_A_BLOCK = 64;
const MILLISECONDS_BETWEEN_PAUSES = 30;
// Float32 rounding of a dot product of unit vectors stays below this.
const SLACK = 1e-5;

async function joinExactly(
  table: EmbeddingTable,
  options: FindPairsOptions,
  found: (a: number, b: number, similarity: number) => void,
): Promise<void> {
  const { count } = table;
  const prepared = frontLoaded(table);
  const lastLeft = options.boundary ?? count;
  let pausedAt = performance.now();
  for (let leftStart = 0; leftStart < lastLeft; leftStart += ROWS_A_BLOCK) {
    const leftEnd = Math.min(lastLeft, leftStart + ROWS_A_BLOCK);
    const rightFrom = options.boundary ?? leftStart;
    for (let rightStart = rightFrom; rightStart < count; rightStart += ROWS_A_BLOCK) {
      const rightEnd = Math.min(count, rightStart + ROWS_A_BLOCK);
      joinBlocks(prepared, leftStart, leftEnd, rightStart, rightEnd, options.minSimilarity, found);
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

interface FrontLoadedTable extends EmbeddingTable {
  /** Numbers of a row compared before the bound is taken; a multiple of 4. */
  head: number;
  /** Of every row: the length of what follows the head. */
  tailLength: Float32Array;
}

/** The same rows with the numbers of highest variance first and the dimension padded to a multiple of 4. */
function frontLoaded(table: EmbeddingTable): FrontLoadedTable {
  const { count, dimension } = table;
  const energy = new Float64Array(dimension);
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < dimension; k++) {
      const value = table.values[row * dimension + k] as number;
      energy[k] = (energy[k] as number) + value * value;
    }
  }
  const order = [...energy.keys()].sort((a, b) => (energy[b] as number) - (energy[a] as number) || a - b);
  const padded = Math.ceil(dimension / 4) * 4;
  const head = Math.min(padded, Math.max(16, Math.ceil(padded / 16) * 4));
  const values = new Float32Array(count * padded);
  const tailLength = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    let tail = 0;
    for (let k = 0; k < dimension; k++) {
      const value = table.values[row * dimension + (order[k] as number)] as number;
      values[row * padded + k] = value;
      if (k >= head) tail += value * value;
    }
    tailLength[row] = Math.sqrt(tail);
  }
  return { values, dimension: padded, count, head, tailLength };
}

function joinBlocks(
  { values, dimension, head, tailLength }: FrontLoadedTable,
  leftStart: number,
  leftEnd: number,
  rightStart: number,
  rightEnd: number,
  minSimilarity: number,
  found: (a: number, b: number, similarity: number) => void,
): void {
  const dismissBelow = minSimilarity - SLACK;
  for (let left = leftStart; left < leftEnd; left++) {
    const i = left * dimension;
    const tail = tailLength[left] as number;
    for (let right = Math.max(left + 1, rightStart); right < rightEnd; right++) {
      const j = right * dimension;
      const first = dot(values, i, j, 0, head);
      if (first + tail * (tailLength[right] as number) < dismissBelow) continue;
      const similarity = first + dot(values, i, j, head, dimension);
      if (similarity >= minSimilarity) found(left, right, similarity);
    }
  }
}

/** Four sums side by side, for the processor to overlap. `start` and `end` are multiples of 4. */
function dot(values: Float32Array, i: number, j: number, start: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = start; k < end; k += 4) {
    a += (values[i + k] as number) * (values[j + k] as number);
    b += (values[i + k + 1] as number) * (values[j + k + 1] as number);
    c += (values[i + k + 2] as number) * (values[j + k + 2] as number);
    d += (values[i + k + 3] as number) * (values[j + k + 3] as number);
  }
  return a + b + c + d;
}
