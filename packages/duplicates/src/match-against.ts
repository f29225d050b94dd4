import { animationCourse, runAlike } from './animations.ts';
import { compareKeys, type DuplicateItem, isAnimated } from './duplicate-item.ts';
import {
  type DuplicateGroup,
  type DuplicateMember,
  type GroupOptions,
  type NearBy,
  pixelsByContent,
} from './group-near-duplicates.ts';
import type { SimilarPairs } from './similar-pairs.ts';

/**
 * Which items before `boundary` show a picture that is among those from it on, the reference. Every such item joins the
 * reference it is most alike to: the same bytes, then the same pixels, then the highest similarity, ties by key; so a
 * group is one reference, which is kept, and the items that go with it. Verdicts and low information count as in
 * `groupNearDuplicates`. An animation joins what has its bytes or pixels, and animations that run alike. Items are not compared with each other.
 */
export function matchAgainst(
  items: readonly DuplicateItem[],
  boundary: number,
  pairs: SimilarPairs,
  options: GroupOptions = {},
): DuplicateGroup[] {
  const pixelsOf = pixelsByContent(items);
  const at = (index: number) => items[index] as DuplicateItem;
  const best = new Map<number, { reference: number; member: DuplicateMember }>();
  const offer = (index: number, reference: number, member: Omit<DuplicateMember, 'index'>) => {
    const { kind, similarity } = member;
    if (options.different?.(at(index).contentHash, at(reference).contentHash)) return;
    const rival = best.get(index);
    const order = rival
      ? RANK[kind] - RANK[rival.member.kind] ||
        rival.member.similarity - similarity ||
        compareKeys(at(reference).key, at(rival.reference).key)
      : -1;
    if (order < 0) best.set(index, { reference, member: { index, ...member } });
  };

  const byContent = new Map<string, number[]>();
  const byPixels = new Map<string, number[]>();
  for (let reference = boundary; reference < items.length; reference++) {
    const content = at(reference).contentHash;
    push(byContent, content, reference);
    const pixels = pixelsOf.get(content);
    if (pixels !== undefined) push(byPixels, pixels, reference);
  }
  for (let index = 0; index < boundary; index++) {
    const content = at(index).contentHash;
    for (const reference of byContent.get(content) ?? [])
      offer(index, reference, { kind: 'exact', similarity: 1 });
    const pixels = pixelsOf.get(content);
    if (pixels !== undefined)
      for (const reference of byPixels.get(pixels) ?? [])
        offer(index, reference, { kind: 'pixels', similarity: 1 });
  }
  const offerAll = ({ left, right, similarity }: SimilarPairs, by: NearBy) => {
    for (let pair = 0; pair < left.length; pair++) {
      const index = left[pair] as number;
      const reference = right[pair] as number;
      if (index >= boundary || reference < boundary) continue;
      if (at(index).lowInformation || at(reference).lowInformation) continue;
      // What a still in the reference shows of an animation is not all of it, nor need another animation with the same first frame.
      if (isAnimated(at(index)) && !runAlike(animationCourse(at(index)), animationCourse(at(reference))))
        continue;
      offer(index, reference, { kind: 'near', similarity: similarity[pair] as number, by });
    }
  };
  offerAll(pairs, 'embedding');
  if (options.hashes) offerAll(options.hashes.pairs, 'perceptual-hash');

  const members = new Map<number, DuplicateMember[]>();
  for (const { reference, member } of best.values()) push(members, reference, member);
  return [...members]
    .map(([reference, found]): DuplicateGroup => {
      // So that the last is the least alike.
      found.sort(
        (a, b) =>
          RANK[a.kind] - RANK[b.kind] ||
          b.similarity - a.similarity ||
          compareKeys(at(a.index).key, at(b.index).key),
      );
      const last = found.at(-1) as DuplicateMember;
      return {
        keep: reference,
        reason: `in the reference folder${lackOf(
          at(reference),
          found.map(({ index }) => at(index)),
        )}`,
        members: [{ index: reference, kind: 'exact', similarity: 1 }, ...found],
        weakest: { a: last.index, b: reference, similarity: last.similarity },
      };
    })
    .sort((a, b) => compareKeys(at(a.keep).key, at(b.keep).key));
}

/** What the others have more of than the reference, in words. */
function lackOf(reference: DuplicateItem, others: readonly DuplicateItem[]): string {
  const isLess = (value: (item: DuplicateItem) => number) =>
    others.some((other) => value(other) > value(reference));
  if (isLess(({ frames = 1 }) => frames)) return ', though of fewer frames';
  return isLess(pixelsIn) ? ', though of lower resolution' : '';
}

const pixelsIn = ({ width, height }: DuplicateItem) => width * height;
const RANK = { exact: 0, pixels: 1, near: 2 } as const;

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
