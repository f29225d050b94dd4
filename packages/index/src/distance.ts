import type { Metric } from './engine.ts';

/**
 * The one definition of each metric: float32 vectors, summed in float64. Every exact answer, wherever its rows come
 * from, is computed here.
 */
export function distance(metric: Metric, a: Float32Array, b: Float32Array): number {
  switch (metric) {
    case 'cosine':
      return cosineDistance(dotAt(a, b, 0), dotAt(a, a, 0), dotAt(b, b, 0));
    case 'l2':
      return l2At(a, b, 0);
    case 'l1':
      return l1At(a, b, 0);
  }
}

/** Of a distance in the metric's own unit, in [0, 1]: see `Metric`. */
export function similarity(metric: Metric, distance: number): number {
  return metric === 'cosine' ? Math.min(1, Math.max(0, 1 - distance)) : 1 / (1 + distance);
}

/**
 * The distance at and below which `similarity` may reach `minSimilarity`, rounded outwards: a cheap bound, to be
 * confirmed with `similarity`. Infinite where any distance does.
 */
export function distanceBound(metric: Metric, minSimilarity: number): number {
  if (minSimilarity <= 0) return Number.POSITIVE_INFINITY;
  const bound = metric === 'cosine' ? 1 - minSimilarity : 1 / minSimilarity - 1;
  return bound + 1e-12 * (1 + bound);
}

/** Sum of products of `query` and the vector of the same length that begins at `offset` of `rows`. */
export function dotAt(query: Float32Array, rows: Float32Array, offset: number): number {
  const length = query.length;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += (query[i] as number) * (rows[offset + i] as number);
    s1 += (query[i + 1] as number) * (rows[offset + i + 1] as number);
    s2 += (query[i + 2] as number) * (rows[offset + i + 2] as number);
    s3 += (query[i + 3] as number) * (rows[offset + i + 3] as number);
  }
  for (; i < length; i++) s0 += (query[i] as number) * (rows[offset + i] as number);
  return s0 + s1 + (s2 + s3);
}

/**
 * 1 - cos from the dot product and the two squared norms, clamped to [0, 2]. One root of the product, not a product of
 * roots: the distance of equal vectors is then exactly 0.
 */
export function cosineDistance(dot: number, squaredNormA: number, squaredNormB: number): number {
  return 1 - Math.min(1, Math.max(-1, dot / Math.sqrt(squaredNormA * squaredNormB)));
}

/** Euclidean distance. */
export function l2At(query: Float32Array, rows: Float32Array, offset: number): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) {
    const difference = (query[i] as number) - (rows[offset + i] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** Sum of absolute differences. */
export function l1At(query: Float32Array, rows: Float32Array, offset: number): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += Math.abs((query[i] as number) - (rows[offset + i] as number));
  return sum;
}
