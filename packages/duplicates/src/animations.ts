import { type DuplicateItem, isAnimated } from './duplicate-item.ts';
import { hashCount, MOST_HASH_BITS, SURE_HASH_BITS, wordsDiffer, wordsOf } from './hash-pairs.ts';
import type { SimilarPairs } from './similar-pairs.ts';

/** What an animation shows in the course of it. */
export interface AnimationCourse {
  frames: number;
  isPage: boolean;
  /** `frameHashes` as `wordsOf`; empty where they are not known. */
  places: readonly Uint32Array[];
}

const HASH_DIGITS = /.{64}/g;

export function animationCourse({
  frames = 1,
  page,
  frameHashes = [],
}: Pick<DuplicateItem, 'frames' | 'page' | 'frameHashes'>): AnimationCourse {
  const places = frameHashes.map((hashes) => wordsOf(hashes.match(HASH_DIGITS) ?? []));
  return { frames, isPage: page ?? false, places };
}

/**
 * Whether two animations, or files of several pages, show nearly the same all along: the hashes of their frames differ in at most 63 bits
 * at each place, and in 31 on average. On average, as frames of one film from one place are all within 63 bits or hardly more. Of as many
 * frames those of one number are compared; otherwise those shown at one time. False where one of the two is not known.
 */
export function runAlike(a: AnimationCourse, b: AnimationCourse): boolean {
  const count = a.places.length;
  if (count === 0 || count !== b.places.length) return false;
  const differ = a.frames === b.frames ? wordsDiffer : timedDiffer;
  const most = a.isPage && b.isPage ? SURE_HASH_BITS : MOST_HASH_BITS;
  let sum = 0;
  return (
    a.places.every((hashes, place) => {
      const bits = differ(hashes, b.places[place] as Uint32Array);
      sum += bits;
      return bits <= most;
    }) && sum <= count * SURE_HASH_BITS
  );
}

/** Of the nearest two. */
function timedDiffer(a: Uint32Array, b: Uint32Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (let one = 1; one < hashCount(a); one++)
    for (let other = 1; other < hashCount(b); other++) least = Math.min(least, wordsDiffer(a, b, one, other));
  return least;
}

/**
 * Of which items it is worth to know `frameHashes`: animations that begin as another one does, which takes decoding all of their
 * frames. Indices, ascending.
 */
export function frameHashCandidates(
  items: readonly DuplicateItem[],
  ...lists: readonly SimilarPairs[]
): number[] {
  const candidates = new Set<number>();
  for (const { left, right } of lists)
    for (const [pair, a] of left.entries()) {
      const b = right[pair] as number;
      const [one, other] = [items[a] as DuplicateItem, items[b] as DuplicateItem];
      if (isAnimated(one) && isAnimated(other) && one.contentHash !== other.contentHash)
        candidates.add(a).add(b);
    }
  return [...candidates].sort((a, b) => a - b);
}
