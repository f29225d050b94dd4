import { LookalikeError } from '@lookalike/store';
import type { SimilarPairs } from './similar-pairs.ts';

/** A point of a model's calibration: the share of unrelated pairs that are at least this similar. */
export interface CalibratedThreshold {
  similarity: number;
  falsePositiveRate: number;
}

export interface PrecisionThreshold {
  similarity: number;
  /** Estimated share of true ones among the pairs at least this similar. */
  precision: number;
}

/**
 * The share of unrelated pairs at least `similarity` alike, from calibration points: log-linear between them, and beyond
 * the last one along the last slope. Below the first point it is that point's rate or more: 1.
 * @throws LookalikeError `not-calibrated` with fewer than two points.
 */
export function falsePositiveRateAt(points: readonly CalibratedThreshold[], similarity: number): number {
  const sorted = points.toSorted((a, b) => a.similarity - b.similarity);
  if (sorted.length < 2)
    throw new LookalikeError(
      'not-calibrated',
      `${points.length} calibrated thresholds, expected at least 2 to estimate precision`,
    );
  const first = sorted[0] as CalibratedThreshold;
  if (similarity < first.similarity) return 1;
  let index = sorted.findLastIndex((point) => point.similarity <= similarity);
  index = Math.min(index, sorted.length - 2);
  const low = sorted[index] as CalibratedThreshold;
  const high = sorted[index + 1] as CalibratedThreshold;
  const slope =
    (Math.log(high.falsePositiveRate) - Math.log(low.falsePositiveRate)) / (high.similarity - low.similarity);
  return low.falsePositiveRate * Math.exp(slope * (similarity - low.similarity));
}

/**
 * The lowest similarity at which the pairs found are estimated to be true with at least `minPrecision`. Of `compared`
 * pairs, `compared * falsePositiveRateAt(s)` unrelated ones are expected at s; the rest of those found are true. So the
 * threshold rises with the number of pictures, as it must: a rate of 1 in 10,000 is nothing among ten pictures and half
 * a million false pairs among a hundred thousand.
 *
 * `pairs` are all pairs from some lower similarity on, each once: where two pictures are compared in several ways (turned), all of
 * them count in `compared`, as each can make strangers look alike, but what is found is one pair. `undefined` where no threshold
 * reaches it.
 */
export function thresholdForPrecision(
  pairs: SimilarPairs,
  compared: number,
  points: readonly CalibratedThreshold[],
  minPrecision: number,
): PrecisionThreshold | undefined {
  const similarities = pairs.similarity.toSorted();
  for (let index = 0; index < similarities.length; index++) {
    const similarity = similarities[index] as number;
    if (index > 0 && similarity === similarities[index - 1]) continue;
    const found = similarities.length - index;
    const precision = 1 - (compared * falsePositiveRateAt(points, similarity)) / found;
    if (precision >= minPrecision) return { similarity, precision };
  }
  return undefined;
}

/** Those at least `similarity` alike. */
export function pairsFrom(pairs: SimilarPairs, similarity: number): SimilarPairs {
  // As the column has it, and as the kernel compares.
  const least = Math.fround(similarity);
  const kept = Array.from(pairs.similarity.keys()).filter(
    (pair) => (pairs.similarity[pair] as number) >= least,
  );
  const column = (values: Uint32Array) => Uint32Array.from(kept, (pair) => values[pair] as number);
  return {
    left: column(pairs.left),
    right: column(pairs.right),
    similarity: Float32Array.from(kept, (pair) => pairs.similarity[pair] as number),
  };
}
