import type { DuplicateGroup } from './server.ts';

/**
 * Groups without the items that are not there any more: those that came without metadata. A group of which fewer than
 * two are left is none; where the proposed one is gone, the next one is proposed.
 */
export function presentGroups(groups: readonly DuplicateGroup[]): { groups: DuplicateGroup[]; gone: number } {
  let gone = 0;
  const present: DuplicateGroup[] = [];
  for (const group of groups) {
    const items = group.items.filter((item) => item.metadata !== undefined);
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
