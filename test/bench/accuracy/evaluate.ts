import { MOST_HASH_BITS } from '@lookalike/duplicates';
import { chanceOfFirst, microAveragePrecision, recallAtPrecision, type ScoredPairs } from './measures.ts';

export interface Figures {
  recallAt1: number;
  /** µAP */
  microAveragePrecision: number;
  recallAtPrecision999: number;
}

/** The first queries match the reference of their own number; the others match none. */
export interface QuerySet {
  descriptors: readonly Float32Array[];
  matched: number;
}

/** [query][reference] */
export type Scores = Float32Array[];

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

export function score(queries: readonly Float32Array[], references: readonly Float32Array[]): Scores {
  return queries.map((query) => Float32Array.from(references, (reference) => dot(query, reference)));
}

/** Nearest background pictures whose similarity is averaged. */
const BACKGROUND_NEIGHBOURS = 3;

/**
 * Score normalisation (SSCD, CVPR 2022, section 4.4): from a query's scores its mean similarity to the nearest background
 * pictures is taken off, so that a query that resembles everything has to resemble its match more. One threshold then
 * serves all queries; the order within a query stays.
 */
export function normalised(
  scores: Scores,
  queries: readonly Float32Array[],
  background: readonly Float32Array[],
): Scores {
  return scores.map((row, i) => {
    const nearest = Float32Array.from(background, (picture) => dot(queries[i] as Float32Array, picture))
      .sort()
      .reverse();
    const bias =
      nearest.subarray(0, BACKGROUND_NEIGHBOURS).reduce((sum, value) => sum + value, 0) /
      BACKGROUND_NEIGHBOURS;
    return row.map((value) => value - bias);
  });
}

/** Gathers one method's pairs over one or more transformations. */
export class PairPool {
  readonly #positives: number[] = [];
  readonly #negatives: Float32Array[] = [];
  #first = 0;

  add(scores: Scores, matched: number): void {
    scores.forEach((row, query) => {
      if (query >= matched) {
        this.#negatives.push(row);
        return;
      }
      this.#positives.push(row[query] as number);
      this.#negatives.push(row.filter((_, reference) => reference !== query));
      this.#first += chanceOfFirst(row, query);
    });
  }

  figures(): Figures {
    const lengths = this.#negatives.reduce((sum, row) => sum + row.length, 0);
    const negatives = new Float32Array(lengths);
    let at = 0;
    for (const row of this.#negatives) {
      negatives.set(row, at);
      at += row.length;
    }
    const pairs: ScoredPairs = { positives: Float32Array.from(this.#positives), negatives };
    return {
      recallAt1: this.#first / this.#positives.length,
      microAveragePrecision: microAveragePrecision(pairs),
      recallAtPrecision999: recallAtPrecision(pairs, 0.999),
    };
  }
}

/** Up to which Hamming distance the product's hash of 256 bits is believed, as a score. */
const CHEAP_TIER_SCORE = 1 - (2 * MOST_HASH_BITS) / 256;
const NOT_LOOKED_AT = -9;

/**
 * A perceptual hash in front of a method: where it finds references near enough, those are the answer and the method is
 * not asked; else the method decides alone.
 */
export function behindCheapTier(hashScores: Scores, scores: Scores): { scores: Scores; settled: number } {
  let settled = 0;
  const combined = scores.map((row, i) => {
    const hashes = hashScores[i] as Float32Array;
    if (!hashes.some((value) => value >= CHEAP_TIER_SCORE)) return row;
    settled++;
    return hashes.map((value) => (value >= CHEAP_TIER_SCORE ? 1 + value : NOT_LOOKED_AT));
  });
  return { scores: combined, settled };
}
