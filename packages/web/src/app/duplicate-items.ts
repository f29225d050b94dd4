import type { DuplicateGroup, DuplicateItem } from './server.ts';

/**
 * Groups with the metadata of their items. Items that are not there any more leave their group, and a group of which
 * fewer than two are left is none; where the proposed one is gone, the next one is proposed.
 */
export function withItems(
  groups: readonly DuplicateGroup[],
  metadata: ReadonlyMap<string, DuplicateItem['metadata']>,
): { groups: DuplicateGroup[]; gone: number } {
  let gone = 0;
  const present: DuplicateGroup[] = [];
  for (const group of groups) {
    const items = group.items
      .filter((item) => metadata.has(item.id))
      .map((item) => ({ ...item, metadata: metadata.get(item.id) ?? {} }));
    gone += group.items.length - items.length;
    const [first] = items;
    if (!first || items.length < 2) continue;
    const keptItsProposal = items.some((item) => item.id === group.keep);
    present.push(
      keptItsProposal
        ? { ...group, items }
        : { ...group, items, keep: first.id, reason: 'the one proposed before is gone' },
    );
  }
  return { groups: present, gone };
}
