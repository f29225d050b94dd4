import { LookalikeError } from '@lookalike/store';

/** `count` L2-normalised rows of `dimension` numbers each, one after the other. */
export interface EmbeddingTable {
  values: Float32Array;
  dimension: number;
  count: number;
}

/**
 * Copies embeddings into one table; `undefined` becomes a row of zeros, which is similar to nothing.
 * @throws LookalikeError `invalid-vector` for a wrong length, a non-finite number, or a row that is not of length 1.
 */
export function embeddingTable(
  rows: readonly (Float32Array | undefined)[],
  dimension: number,
): EmbeddingTable {
  const values = new Float32Array(rows.length * dimension);
  for (const [index, row] of rows.entries()) {
    if (!row) continue;
    if (row.length !== dimension)
      throw new LookalikeError(
        'invalid-vector',
        `embedding ${index} has ${row.length} numbers, expected ${dimension}`,
      );
    let squares = 0;
    for (const value of row) squares += value * value;
    // NaN and infinities fail this test too.
    if (!(Math.abs(squares - 1) < 1e-3))
      throw new LookalikeError(
        'invalid-vector',
        `embedding ${index} has length ${Math.sqrt(squares)}, expected an L2-normalised one`,
      );
    values.set(row, index * dimension);
  }
  return { values, dimension, count: rows.length };
}

/** Similarity of two L2-normalised embeddings: their cosine, and 0 where that is negative. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return Math.min(1, Math.max(0, sum));
}
