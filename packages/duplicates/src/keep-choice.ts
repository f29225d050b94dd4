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

const RULES: { reason: string; compare: (a: Candidate, b: Candidate) => number }[] = [
  {
    reason: 'highest resolution',
    compare: (a, b) => b.item.width * b.item.height - a.item.width * a.item.height,
  },
  { reason: 'same resolution, most bytes', compare: (a, b) => b.leastBytes - a.leastBytes },
  { reason: 'same resolution and bytes, oldest picture', compare: (a, b) => a.oldest - b.oldest },
  { reason: 'all else equal, first path', compare: (a, b) => compareKeys(a.firstKey, b.firstKey) },
  { reason: 'same picture, oldest file', compare: (a, b) => a.item.modified - b.item.modified },
  { reason: 'same picture and age, first path', compare: (a, b) => compareKeys(a.item.key, b.item.key) },
];

/**
 * Which of a group to keep: the highest resolution, then the most bytes (the least compressed), then the older file, then
 * the first path. `samePicture` names the files that show the same pixels: among them bytes say nothing of quality.
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
  const candidates = items.map(
    (item, index) => ({ index, item, ...pictures.get(samePicture(item)) }) as Candidate,
  );
  candidates.sort((a, b) => {
    for (const rule of RULES) {
      const order = rule.compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
  const [best, second] = candidates as [Candidate, Candidate | undefined];
  const reason = second && RULES.find((rule) => rule.compare(best, second) !== 0)?.reason;
  return { keep: best.index, reason: reason ?? 'the only one' };
}
