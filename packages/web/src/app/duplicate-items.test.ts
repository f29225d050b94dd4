import { expect, it } from 'vitest';
import { withItems } from './duplicate-items.ts';

const group = (...ids: [string, string, ...string[]]) => ({
  keep: ids[0],
  reason: 'largest',
  weakest: 0.9,
  weakestPair: [ids[0], ids[1]] as [string, string],
  items: ids.map((id) => ({ id, kind: 'near' as const, similarity: 0.9 })),
});

it('gives items their metadata, and never proposes to keep what is gone', () => {
  const known = new Map(['a', 'c', 'e', 'f'].map((id) => [id, { of: id }]));
  const { groups, gone } = withItems([group('a', 'b', 'c'), group('d', 'e', 'f'), group('g', 'h')], known);
  expect(gone).toBe(4);
  expect(groups.map(({ keep, items }) => [keep, items.map((item) => item.id)])).toEqual([
    ['a', ['a', 'c']],
    ['e', ['e', 'f']],
  ]);
  expect(groups[0]?.items[1]?.metadata).toEqual({ of: 'c' });
  expect(groups[0]?.reason).toBe('largest');
  expect(groups[1]?.reason).toMatch(/gone/);
});
