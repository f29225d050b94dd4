import { compareKeys, type DuplicateItem } from './duplicate-item.ts';

export interface KeepChoice {
  /** Index into the items of the group. */
  keep: number;
  /** Why this one, in words. */
  reason: string;
}

interface Candidate {
  index: number;
  item: DuplicateItem;
  /** Of all files with the same pixels, the smallest: packing the same pixels less tightly adds no quality. */
  leastBytes: number;
  /** Of all files with the same pixels, the oldest, then the first key: files of one picture stand together. */
  oldest: number;
  firstKey: string;
}

/** Below this share of the sharpest one's sharpness a picture is a blurred copy; compression alone seldom takes as much. */
const CLEARLY_LESS_SHARP = 0.65;

/** Each leaves the best of those that the rules before it left; at least one. */
const RULES: { reason: string; best: (candidates: readonly Candidate[]) => Candidate[] }[] = [
  { reason: 'most frames', best: most(({ item }) => item.frames ?? 1) },
  { reason: 'highest resolution', best: most(({ item }) => item.width * item.height) },
  {
    reason: 'same resolution, clearly sharper',
    best: (candidates) => {
      const sharpest = Math.max(...candidates.map(({ item }) => item.sharpness ?? 0));
      return candidates.filter(({ item }) => (item.sharpness ?? sharpest) >= CLEARLY_LESS_SHARP * sharpest);
    },
  },
  { reason: 'same resolution, most bytes', best: most(({ leastBytes }) => leastBytes) },
  { reason: 'same resolution and bytes, oldest picture', best: most(({ oldest }) => -oldest) },
  { reason: 'all else equal, first path', best: first(({ firstKey }) => firstKey) },
  { reason: 'same picture, oldest file', best: most(({ item }) => -item.modified) },
  { reason: 'same picture and age, first path', best: first(({ item }) => item.key) },
];

function most(value: (candidate: Candidate) => number) {
  return (candidates: readonly Candidate[]): Candidate[] => {
    const greatest = candidates.reduce((best, one) => Math.max(best, value(one)), Number.NEGATIVE_INFINITY);
    return candidates.filter((one) => value(one) === greatest);
  };
}

function first(key: (candidate: Candidate) => string) {
  return (candidates: readonly Candidate[]): Candidate[] => {
    const least = candidates.reduce(
      (best, one) => (compareKeys(key(one), best) < 0 ? key(one) : best),
      key(candidates[0] as Candidate),
    );
    return candidates.filter((one) => key(one) === least);
  };
}

/**
 * Which of a group to keep: the most frames (a still is part of an animation), the highest resolution, then what is not clearly less sharp than the sharpest, then the most bytes
 * (the least compressed), then the older file, then the first path. `samePicture` names the files that show the same pixels:
 * among them bytes say nothing of quality. The reason is the rule that left only one.
 */
export function chooseKeep(
  items: readonly DuplicateItem[],
  samePicture: (item: DuplicateItem) => string,
): KeepChoice {
  const pictures = new Map<string, Omit<Candidate, 'index' | 'item'>>();
  for (const item of items) {
    const name = samePicture(item);
    const seen = pictures.get(name);
    pictures.set(name, {
      leastBytes: Math.min(seen?.leastBytes ?? Number.POSITIVE_INFINITY, item.bytes),
      oldest: Math.min(seen?.oldest ?? Number.POSITIVE_INFINITY, item.modified),
      firstKey: seen && compareKeys(seen.firstKey, item.key) < 0 ? seen.firstKey : item.key,
    });
  }
  let candidates = items.map(
    (item, index) => ({ index, item, ...pictures.get(samePicture(item)) }) as Candidate,
  );
  let reason = 'the only one';
  for (const rule of RULES) {
    if (candidates.length === 1) break;
    const left = rule.best(candidates);
    if (left.length < candidates.length) reason = rule.reason;
    candidates = left;
  }
  return { keep: (candidates[0] as Candidate).index, reason };
}
