import { expect, it } from 'vitest';
import { presentGroups } from './duplicate-items.ts';

const present = new Set(['a', 'c', 'e', 'f']);
const group = (...ids: [string, string, ...string[]]) => ({
  keep: ids[0],
  reason: 'largest',
  weakest: 0.9,
  weakestPair: [ids[0], ids[1]] as [string, string],
  items: ids.map((id) => ({
    id,
    kind: 'near' as const,
    similarity: 0.9,
    ...(present.has(id) && { metadata: {} }),
  })),
});

it('leaves out what is gone, and never proposes to keep it', () => {
  const { groups, gone } = presentGroups([group('a', 'b', 'c'), group('d', 'e', 'f'), group('g', 'h')]);
  expect(gone).toBe(4);
  expect(groups.map(({ keep, items }) => [keep, items.map((item) => item.id)])).toEqual([
    ['a', ['a', 'c']],
    ['e', ['e', 'f']],
  ]);
  expect(groups[0]?.reason).toBe('largest');
  expect(groups[1]?.reason).toMatch(/gone/);
});
