/** Scores of query-reference pairs, higher for more alike; each query has one true reference or none. */
export interface ScoredPairs {
  /** Of the true pairs. */
  positives: Float32Array;
  /** Of all others, in any order. */
  negatives: Float32Array;
}

interface OperatingPoint {
  truePositives: number;
  /** True pairs with exactly this score. */
  gained: number;
  precision: number;
}

/** One point for each distinct score of a true pair, highest first: pairs of equal score are accepted together. */
function operatingPoints({ positives, negatives }: ScoredPairs): OperatingPoint[] {
  const high = positives.slice().sort().reverse();
  const others = negatives.slice().sort();
  const points: OperatingPoint[] = [];
  let passed = others.length;
  for (let i = 0; i < high.length; ) {
    const score = high[i] as number;
    let end = i;
    while (end < high.length && high[end] === score) end++;
    while (passed > 0 && (others[passed - 1] as number) >= score) passed--;
    const falsePositives = others.length - passed;
    points.push({ truePositives: end, gained: end - i, precision: end / (end + falsePositives) });
    i = end;
  }
  return points;
}

/**
 * Micro average precision as in the Image Similarity Challenge (DISC21): all pairs of all queries in one ranking, the sum
 * over it of precision times gained recall. In [0, 1].
 */
export function microAveragePrecision(pairs: ScoredPairs): number {
  const sum = operatingPoints(pairs).reduce((total, { gained, precision }) => total + gained * precision, 0);
  return sum / pairs.positives.length;
}

/** The largest share of true pairs found at any threshold where at least `precision` of the found pairs are true. */
export function recallAtPrecision(pairs: ScoredPairs, precision: number): number {
  const reached = operatingPoints(pairs).filter((point) => point.precision >= precision);
  return Math.max(0, ...reached.map((point) => point.truePositives)) / pairs.positives.length;
}

/**
 * The chance that the true reference comes first: 0 or 1, or 1/n where n references share the first place.
 * @param scores of one query to every reference
 */
export function chanceOfFirst(scores: Float32Array, truth: number): number {
  const own = scores[truth] as number;
  let sharing = 0;
  for (const score of scores) {
    if (score > own) return 0;
    if (score === own) sharing++;
  }
  return 1 / sharing;
}
