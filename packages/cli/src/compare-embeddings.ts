import type { ModelDescription } from '@lookalike/encoder';

export interface EmbeddingComparison {
  /** sqrt(sum of squared differences). */
  euclidean: number;
  /** 1 - cos, in [0, 2]. */
  cosine: number;
  /** Sum of absolute differences. */
  absolute: number;
  /** In [0, 1], by the metric of the model: max(0, cos), or 1 / (1 + distance). */
  similarity: number;
}

/** The three distances of two embeddings of one model, and their similarity. */
export function compareEmbeddings(
  a: Float32Array,
  b: Float32Array,
  metric: ModelDescription['metric'],
): EmbeddingComparison {
  let squares = 0;
  let absolute = 0;
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (const [k, x] of a.entries()) {
    const y = b[k] as number;
    squares += (x - y) ** 2;
    absolute += Math.abs(x - y);
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  const euclidean = Math.sqrt(squares);
  // Equal embeddings are at distance 0 exactly, not at one rounding error from it.
  const cos = squares === 0 ? 1 : Math.min(1, Math.max(-1, dot / Math.sqrt(squaresA * squaresB)));
  const similarity =
    metric === 'cosine' ? Math.max(0, cos) : 1 / (1 + (metric === 'l2' ? euclidean : absolute));
  return { euclidean, cosine: 1 - cos, absolute, similarity };
}
