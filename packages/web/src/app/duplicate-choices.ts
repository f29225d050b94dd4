import { pictureOf } from './picture-metadata.ts';
import type { DuplicateGroup } from './server.ts';

/** Which items of a group a person wants to keep, where that differs from the proposal: by the group's `keep`. */
export type Choices = ReadonlyMap<string, readonly string[]>;

export const keptOf = (group: DuplicateGroup, choices: Choices): readonly string[] =>
  choices.get(group.keep) ?? [group.keep];

/**
 * Keeps or drops one item. The last one kept stays kept (then `choices` itself comes back): a list of things to
 * remove must never remove the whole group.
 */
export function toggleKept(choices: Choices, group: DuplicateGroup, id: string): Choices {
  const kept = keptOf(group, choices);
  const next = group.items
    .map((item) => item.id)
    .filter((other) => (other === id ? !kept.includes(other) : kept.includes(other)));
  return next.length === 0 ? choices : withKept(choices, group, next);
}

export const keepOnly = (choices: Choices, group: DuplicateGroup, id: string): Choices =>
  withKept(choices, group, [id]);

export const keepAll = (choices: Choices, group: DuplicateGroup): Choices =>
  withKept(
    choices,
    group,
    group.items.map((item) => item.id),
  );

function withKept(choices: Choices, group: DuplicateGroup, kept: readonly string[]): Choices {
  const next = new Map(choices);
  if (kept.length === 1 && kept[0] === group.keep) next.delete(group.keep);
  else next.set(group.keep, kept);
  return next;
}

export interface ChoiceSummary {
  groups: number;
  pictures: number;
  removed: number;
  /** Of the removed ones whose size is known. */
  removedBytes: number;
}

export function summarise(groups: readonly DuplicateGroup[], choices: Choices): ChoiceSummary {
  const summary = { groups: groups.length, pictures: 0, removed: 0, removedBytes: 0 };
  for (const group of groups) {
    const kept = keptOf(group, choices);
    summary.pictures += group.items.length;
    for (const item of group.items) {
      if (kept.includes(item.id)) continue;
      summary.removed++;
      summary.removedBytes += pictureOf(item.metadata)?.bytes ?? 0;
    }
  }
  return summary;
}

export const groupOrders = {
  size: 'Largest groups first',
  bytes: 'Most bytes to free first',
  'most-alike': 'Most alike first',
  'least-alike': 'Least alike first',
  name: 'By name',
} as const;
export type GroupOrder = keyof typeof groupOrders;

/** A sorted copy; ties by the id of the proposed one, so that the order never depends on what came first. */
export function sortGroups(groups: readonly DuplicateGroup[], order: GroupOrder): DuplicateGroup[] {
  const freed = (group: DuplicateGroup) => summarise([group], new Map()).removedBytes;
  const keyOf: Record<GroupOrder, (group: DuplicateGroup) => number> = {
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
  groups: readonly DuplicateGroup[],
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
export function listAsCsv(groups: readonly DuplicateGroup[], choices: Choices): string {
  const lines = ['group,id,action,kind,similarity,bytes'];
  for (const [index, group] of groups.entries()) {
    const kept = keptOf(group, choices);
    for (const item of group.items) {
      const action = kept.includes(item.id) ? 'keep' : 'remove';
      const bytes = pictureOf(item.metadata)?.bytes ?? '';
      lines.push([index + 1, quoted(item.id), action, item.kind, item.similarity, bytes].join(','));
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** For `localStorage`, so that a reload loses no work. */
export const writeChoices = (choices: Choices): string => JSON.stringify([...choices]);

export function readChoices(text: string | null): Choices {
  if (!text) return new Map();
  try {
    return new Map(JSON.parse(text) as [string, string[]][]);
  } catch {
    return new Map();
  }
}
