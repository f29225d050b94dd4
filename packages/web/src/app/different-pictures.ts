import { pictureOf } from './picture-metadata.ts';
import type { DuplicateGroup, DuplicateItem } from './server.ts';

/** An item of a group as this page shows it; no similarity is known to a picture that was not the proposed one. */
export interface ShownItem extends Omit<DuplicateItem, 'similarity'> {
  similarity: number | undefined;
}

export interface ShownGroup extends Omit<DuplicateGroup, 'items' | 'weakestPair'> {
  items: ShownItem[];
  /** Missing where one of that pair has left: then `weakest` is what the rest has at least. */
  weakestPair: Pair | undefined;
}

/** Ids of two items of which a person said that they are different pictures. */
export type Pair = [string, string];

/** What a verdict is about: the bytes of the file, so that it holds for every copy; an item without a picture is its own. */
const contentOf = (item: ShownItem): string => pictureOf(item.metadata)?.sha256 ?? `item ${item.id}`;

const pairKey = (a: string, b: string): string => (a < b ? `${a}\n${b}` : `${b}\n${a}`);

/** One item of each content: copies of the same bytes cannot be told to differ. */
function withoutCopies(items: readonly ShownItem[]): ShownItem[] {
  const first = new Map<string, ShownItem>();
  for (const item of items) if (!first.has(contentOf(item))) first.set(contentOf(item), item);
  return [...first.values()];
}

/** How many pictures with bytes of their own a group has: where it is one, there is nothing to tell apart. */
export const countDistinct = (group: ShownGroup): number => new Set(group.items.map(contentOf)).size;

/** The verdict "this one is none of them": against every other picture of its group. Empty where all are its copies. */
export function apartFromGroup(group: ShownGroup, id: string): Pair[] {
  const item = group.items.find((one) => one.id === id);
  if (!item) return [];
  return withoutCopies(group.items)
    .filter((other) => contentOf(other) !== contentOf(item))
    .map((other) => [id, other.id]);
}

/** The verdict "no two of these are the same picture". */
export function allApart(group: ShownGroup): Pair[] {
  const distinct = withoutCopies(group.items);
  return distinct.flatMap((one, index) => distinct.slice(index + 1).map((other): Pair => [one.id, other.id]));
}

/**
 * The groups as they are under verdicts given since they were found: no two pictures said to be different are left
 * together, and a group of which one picture is left is none. It agrees with what the server will find next time
 * except where that finds a parted picture another group.
 */
export function separated(groups: readonly ShownGroup[], apart: readonly Pair[]): ShownGroup[] {
  if (apart.length === 0) return [...groups];
  const told = new Set(apart.flat());
  const content = new Map<string, string>();
  for (const group of groups)
    for (const item of group.items) if (told.has(item.id)) content.set(item.id, contentOf(item));
  const nameOf = (id: string) => content.get(id) ?? `item ${id}`;
  const different = new Set(apart.map(([a, b]) => pairKey(nameOf(a), nameOf(b))));
  const affected = new Set(content.values());
  return groups.flatMap((group) =>
    group.items.some((item) => affected.has(contentOf(item))) ? split(group, different) : [group],
  );
}

function split(group: ShownGroup, different: ReadonlySet<string>): ShownGroup[] {
  const parts: ShownItem[][] = [];
  for (const item of group.items) {
    const fits = (part: ShownItem[]) =>
      part.every((other) => !different.has(pairKey(contentOf(other), contentOf(item))));
    const part = parts.find(fits);
    if (part) part.push(item);
    else parts.push([item]);
  }
  if (parts.length === 1) return [group];
  return parts.filter((part) => part.length > 1).map((part) => partOf(group, part));
}

function partOf(whole: ShownGroup, items: ShownItem[]): ShownGroup {
  const has = (id: string) => items.some((item) => item.id === id);
  const group = { ...whole, weakestPair: whole.weakestPair?.every(has) ? whole.weakestPair : undefined };
  if (has(group.keep)) return { ...group, items };
  const size = (item: ShownItem) => {
    const { width = 0, height = 0, bytes = 0 } = pictureOf(item.metadata) ?? {};
    return [width * height, bytes] as const;
  };
  const ranked = items.toSorted((a, b) => {
    const [pixelsA, bytesA] = size(a);
    const [pixelsB, bytesB] = size(b);
    return pixelsB - pixelsA || bytesB - bytesA || (a.id < b.id ? -1 : 1);
  });
  const [keep, ...others] = ranked as [ShownItem, ...ShownItem[]];
  const related = others.map(({ by: _by, ...item }) =>
    contentOf(item) === contentOf(keep)
      ? { ...item, kind: 'exact' as const, similarity: 1 }
      : { ...item, kind: 'near' as const, similarity: undefined },
  );
  return {
    ...group,
    keep: keep.id,
    reason: 'highest resolution, then most bytes, of what is left',
    items: [keep, ...related],
  };
}
