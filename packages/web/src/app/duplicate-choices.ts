import { csvCell } from '@lookalike/duplicates/csv';
import type { ShownGroup } from './different-pictures.ts';
import { pictureOf } from './picture-metadata.ts';
import type { DuplicateItem } from './server.ts';

/** Which items of a group a person wants to keep, where that differs from the proposal: by the group's `keep`. */
export type Choices = ReadonlyMap<string, readonly string[]>;

/** Of a choice that was made when the group had other items, what is still there; the proposal where nothing is. */
export function keptOf(group: ShownGroup, choices: Choices): readonly string[] {
  const chosen = choices.get(group.keep);
  if (!chosen) return [group.keep];
  const present = group.items.map((item) => item.id).filter((id) => chosen.includes(id));
  return present.length > 0 ? present : [group.keep];
}

/**
 * Keeps or drops one item. The last one kept stays kept (then `choices` itself comes back): a list of things to
 * remove must never remove the whole group.
 */
export function toggleKept(choices: Choices, group: ShownGroup, id: string): Choices {
  const kept = keptOf(group, choices);
  const next = group.items
    .map((item) => item.id)
    .filter((other) => (other === id ? !kept.includes(other) : kept.includes(other)));
  return next.length === 0 ? choices : withKept(choices, group, next);
}

export const keepOnly = (choices: Choices, group: ShownGroup, id: string): Choices =>
  withKept(choices, group, [id]);

/** In all groups, removes only what is of one of these kinds; everything else is kept. */
export function removeOnly(groups: readonly ShownGroup[], kinds: readonly DuplicateItem['kind'][]): Choices {
  const choices = new Map<string, readonly string[]>();
  for (const group of groups) {
    const kept = group.items
      .filter((item) => item.id === group.keep || !kinds.includes(item.kind))
      .map((item) => item.id);
    if (kept.length > 1) choices.set(group.keep, kept);
  }
  return choices;
}

function withKept(choices: Choices, group: ShownGroup, kept: readonly string[]): Choices {
  const next = new Map(choices);
  if (kept.length === 1 && kept[0] === group.keep) next.delete(group.keep);
  else next.set(group.keep, kept);
  return next;
}

/** What goes by these choices, group after group. */
export function removedItems(groups: readonly ShownGroup[], choices: Choices): ShownGroup['items'][number][] {
  return groups.flatMap((group) => {
    const kept = keptOf(group, choices);
    return group.items.filter((item) => !kept.includes(item.id));
  });
}

export interface ChoiceSummary {
  groups: number;
  pictures: number;
  removed: number;
  /** Of the removed ones whose size is known. */
  removedBytes: number;
}

export function summarise(groups: readonly ShownGroup[], choices: Choices): ChoiceSummary {
  const removed = removedItems(groups, choices);
  return {
    groups: groups.length,
    pictures: groups.reduce((sum, group) => sum + group.items.length, 0),
    removed: removed.length,
    removedBytes: removed.reduce((sum, item) => sum + (pictureOf(item.metadata)?.bytes ?? 0), 0),
  };
}

/** Of the pictures that are not the proposed one of their group, how many there are of each kind. */
export function countKinds(groups: readonly ShownGroup[]): Record<DuplicateItem['kind'], number> {
  const counts = { exact: 0, pixels: 0, near: 0 };
  for (const group of groups) for (const item of group.items) if (item.id !== group.keep) counts[item.kind]++;
  return counts;
}

/** Groups that hold a picture of this kind beside the proposed one. */
export const groupsWith = (groups: readonly ShownGroup[], kind: DuplicateItem['kind']): ShownGroup[] =>
  groups.filter((group) => group.items.some((item) => item.id !== group.keep && item.kind === kind));

export const groupOrders = {
  size: 'Largest groups first',
  bytes: 'Most bytes to free first',
  'most-alike': 'Most alike first',
  'least-alike': 'Least alike first',
  name: 'By name',
} as const;
export type GroupOrder = keyof typeof groupOrders;

/** A sorted copy; ties by the id of the proposed one, so that the order never depends on what came first. */
export function sortGroups(groups: readonly ShownGroup[], order: GroupOrder): ShownGroup[] {
  const freed = (group: ShownGroup) => summarise([group], new Map()).removedBytes;
  const keyOf: Record<GroupOrder, (group: ShownGroup) => number> = {
    size: (group) => -group.items.length,
    bytes: (group) => -freed(group),
    'most-alike': (group) => -group.weakest,
    'least-alike': (group) => group.weakest,
    name: () => 0,
  };
  return groups
    .map((group) => ({ group, key: keyOf[order](group) }))
    .sort((a, b) => a.key - b.key || (a.group.keep < b.group.keep ? -1 : 1))
    .map(({ group }) => group);
}

/** The list a program can act on: each group with what to keep and what to remove. */
export function listAsJson(
  header: { collection: string; minSimilarity: number; version: number | undefined },
  groups: readonly ShownGroup[],
  choices: Choices,
): string {
  const listed = groups.map((group) => {
    const kept = keptOf(group, choices);
    return {
      keep: kept,
      remove: group.items.map((item) => item.id).filter((id) => !kept.includes(id)),
      proposed: { keep: group.keep, reason: group.reason },
      weakest: group.weakest,
      items: group.items.map(({ id, kind, similarity }) => ({ id, kind, similarity })),
    };
  });
  return `${JSON.stringify({ ...header, groups: listed }, null, 2)}\n`;
}

/** One line an item (RFC 4180): group number from 1, id, `keep` or `remove`, kind, similarity, bytes where known. */
export function listAsCsv(groups: readonly ShownGroup[], choices: Choices): string {
  const lines = ['group,id,action,kind,similarity,bytes'];
  for (const [index, group] of groups.entries()) {
    const kept = keptOf(group, choices);
    for (const item of group.items) {
      const action = kept.includes(item.id) ? 'keep' : 'remove';
      const bytes = pictureOf(item.metadata)?.bytes ?? '';
      const cells = [index + 1, item.id, action, item.kind, item.similarity ?? '', bytes];
      lines.push(cells.map(csvCell).join(','));
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}
