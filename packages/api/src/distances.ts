import type { Metric } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';

export interface Distances {
  euclidean: number;
  /** 1 - cos(a, b), in [0, 2]. */
  cosine: number;
  /** Sum of absolute differences. */
  absolute: number;
}

/** All three distances of two vectors. Throws `dimension-mismatch`; `invalid-vector` for a zero vector, which has no angle. */
export function distancesOf(a: ArrayLike<number>, b: ArrayLike<number>): Distances {
  if (a.length !== b.length) {
    throw new LookalikeError('dimension-mismatch', `a has ${a.length} dimensions, b has ${b.length}`);
  }
  let squares = 0;
  let absolute = 0;
  let dot = 0;
  let normA = 0;
  let normB = 0;
  for (let index = 0; index < a.length; index++) {
    const x = a[index] as number;
    const y = b[index] as number;
    squares += (x - y) ** 2;
    absolute += Math.abs(x - y);
    dot += x * y;
    normA += x * x;
    normB += y * y;
  }
  if (normA === 0 || normB === 0) {
    throw new LookalikeError('invalid-vector', `${normA === 0 ? 'a' : 'b'} is a zero vector`);
  }
  const cosine = Math.min(2, Math.max(0, 1 - dot / Math.sqrt(normA) / Math.sqrt(normB)));
  return { euclidean: Math.sqrt(squares), cosine, absolute };
}

/** In [0, 1]; the definitions of the search engine's metrics. */
export function similarityOf(metric: Metric, distances: Distances): number {
  switch (metric) {
    case 'cosine':
      return Math.min(1, Math.max(0, 1 - distances.cosine));
    case 'l2':
      return 1 / (1 + distances.euclidean);
    case 'l1':
      return 1 / (1 + distances.absolute);
  }
}
