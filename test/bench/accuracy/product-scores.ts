import { findNearPairs, type PictureRow, type SimilarPairs } from '@lookalike/duplicates';
import type { PictureFacts } from '@lookalike/encoder';
import type { Scores } from './evaluate.ts';

export interface DescribedPicture {
  embedding: Float32Array;
  facts: PictureFacts;
}

/** Of pictures that the product never makes a pair of. */
const NO_PAIR = -1;
/** The search takes none that is not above 0. */
const LEAST_SIMILARITY = 1e-6;

/**
 * What `lookalike dedupe` goes by, in order: its own search for pairs, of every similarity. Pairs that perceptual hashes find come first,
 * by `hashScores`, then those that embeddings find.
 */
export async function productScores(
  queries: readonly DescribedPicture[],
  references: readonly DescribedPicture[],
  hashScores: Scores,
  minHashSimilarity: number,
): Promise<Scores> {
  const rows = [...queries, ...references].map(
    ({ embedding, facts }, row): PictureRow => ({
      key: String(row),
      embedding,
      perceptualHash: facts.perceptualHash,
      lowInformation: facts.lowInformation,
      page: facts.page,
    }),
  );
  const { pairs, hashPairs } = await findNearPairs(rows, {
    dimension: queries[0]?.embedding.length ?? 0,
    boundary: queries.length,
    minSimilarity: LEAST_SIMILARITY,
    minHashSimilarity,
  });
  const scores = queries.map(() => new Float32Array(references.length).fill(NO_PAIR));
  const eachPair = (
    { left, right, similarity }: SimilarPairs,
    scoreOf: (query: number, reference: number, similarity: number) => number,
  ) => {
    for (const [pair, query] of left.entries()) {
      const reference = (right[pair] as number) - queries.length;
      (scores[query] as Float32Array)[reference] = scoreOf(query, reference, similarity[pair] as number);
    }
  };
  eachPair(pairs, (_query, _reference, similarity) => similarity);
  eachPair(hashPairs, (query, reference) => 1 + (hashScores[query]?.[reference] as number));
  return scores;
}
