import { hashesDiffer, SURE_HASH_BITS } from './hash-pairs.ts';
import { PairCollector, type SimilarPairs } from './similar-pairs.ts';

interface PageRow {
  /** Text, a receipt, a drawing: marks on an even ground. */
  page?: boolean | undefined;
  perceptualHash?: string | undefined;
}

/**
 * The pairs without those of two pages whose perceptual hashes differ in more than 31 bits. Embeddings of photographs tell pages
 * apart by little more than their layout, so that any two letters are alike to them; hashes of the copies of one page differ in few bits.
 * That loses turned, mirrored and cropped copies of pages.
 */
export function withoutUnlikePages(pairs: SimilarPairs, rows: readonly PageRow[]): SimilarPairs {
  if (!rows.some(({ page }) => page)) return pairs;
  const kept = new PairCollector();
  for (const [pair, a] of pairs.left.entries()) {
    const b = pairs.right[pair] as number;
    const [one, other] = [rows[a] ?? {}, rows[b] ?? {}];
    const areUnlike =
      one.page === true &&
      other.page === true &&
      (one.perceptualHash === undefined ||
        other.perceptualHash === undefined ||
        hashesDiffer(one.perceptualHash, other.perceptualHash) > SURE_HASH_BITS);
    if (!areUnlike) kept.add(a, b, pairs.similarity[pair] as number);
  }
  return kept.pairs();
}
