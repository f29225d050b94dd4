import type { DuplicateItem } from './duplicate-item.ts';
import type { SimilarPairs } from './similar-pairs.ts';

/**
 * The same pixels give the same embedding but for how a decoder shrinks large files on the way, which moves it by less
 * than this; a burst of photographs of one size need not be decoded in full.
 */
const LEAST_SIMILARITY = 0.95;

/**
 * Which items are worth decoding in full to compare their pixels: those of one displayed size that are very near each other,
 * and low-information ones of one size, which are never compared by embedding. Files with the same bytes have the same
 * pixels and are not among them on that account. Indices, ascending.
 */
export function pixelHashCandidates(items: readonly DuplicateItem[], pairs: SimilarPairs): number[] {
  const candidates = new Set<number>();
  for (let pair = 0; pair < pairs.left.length; pair++) {
    const left = pairs.left[pair] as number;
    const right = pairs.right[pair] as number;
    if ((pairs.similarity[pair] as number) < LEAST_SIMILARITY) continue;
    if (comparable(items[left] as DuplicateItem, items[right] as DuplicateItem)) {
      candidates.add(left);
      candidates.add(right);
    }
  }
  const blanks = new Map<string, number[]>();
  for (const [index, item] of items.entries()) {
    if (!item.lowInformation) continue;
    const size = `${item.width}x${item.height}`;
    const same = blanks.get(size);
    if (same) same.push(index);
    else blanks.set(size, [index]);
  }
  for (const same of blanks.values()) {
    if (new Set(same.map((index) => items[index]?.contentHash)).size < 2) continue;
    for (const index of same) candidates.add(index);
  }
  return [...candidates].sort((a, b) => a - b);
}

function comparable(a: DuplicateItem, b: DuplicateItem): boolean {
  return a.width === b.width && a.height === b.height && a.contentHash !== b.contentHash;
}
