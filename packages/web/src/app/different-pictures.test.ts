import { describe, expect, it } from 'vitest';
import {
  allApart,
  apartFromGroup,
  countDistinct,
  type Pair,
  type ShownGroup,
  type ShownItem,
  separated,
} from './different-pictures.ts';

const item = (id: string, sha256: string, width: number): ShownItem => ({
  id,
  kind: 'near',
  similarity: 0.9,
  metadata: { picture: { sha256, width, height: 10, format: 'jpeg', bytes: 100 } },
});
/** Four pictures in five files: the last two are copies of each other. */
const group: ShownGroup = {
  keep: 'a.jpg',
  reason: 'highest resolution',
  weakest: 0.8,
  weakestPair: ['b.jpg', 'd.jpg'],
  items: [
    item('a.jpg', 'A', 50),
    item('b.jpg', 'B', 40),
    item('c.jpg', 'C', 30),
    item('d.jpg', 'D', 20),
    item('copy/d.jpg', 'D', 20),
  ],
};
const other: ShownGroup = { ...group, keep: 'x.jpg', items: [item('x.jpg', 'X', 9), item('y.jpg', 'Y', 8)] };
const ids = (groups: ShownGroup[]) => groups.map(({ items }) => items.map(({ id }) => id));

describe('the verdict that pictures are different', () => {
  it('is about pictures: one pair for each other content, none for copies', () => {
    expect(apartFromGroup(group, 'd.jpg')).toEqual([
      ['d.jpg', 'a.jpg'],
      ['d.jpg', 'b.jpg'],
      ['d.jpg', 'c.jpg'],
    ]);
    expect(apartFromGroup(group, 'b.jpg')).toHaveLength(3);
    expect(apartFromGroup(group, 'nowhere.jpg')).toEqual([]);
    expect(allApart(group)).toHaveLength(6);
    expect(countDistinct(group)).toBe(4);
    const copies = { ...group, items: group.items.slice(3) };
    expect(apartFromGroup(copies, 'd.jpg')).toEqual([]);
    expect(countDistinct(copies)).toBe(1);
  });

  it('takes a picture out of its group, its copies with it, and leaves the other groups as they are', () => {
    const after = separated([group, other], apartFromGroup(group, 'd.jpg'));
    expect(ids(after)).toEqual([
      ['a.jpg', 'b.jpg', 'c.jpg'],
      ['d.jpg', 'copy/d.jpg'].sort(),
      ['x.jpg', 'y.jpg'],
    ]);
    expect(after[0]).toMatchObject({ keep: 'a.jpg', reason: 'highest resolution', weakestPair: undefined });
    expect(after[1]?.items[1]).toMatchObject({ kind: 'exact', similarity: 1 });
    expect(after[2]).toBe(other);
    expect(separated([group, other], [])).toEqual([group, other]);
  });

  it('proposes the largest of what is left where the proposed one has gone, and claims no similarity to it', () => {
    const [rest] = separated([group], apartFromGroup(group, 'a.jpg'));
    expect(rest?.keep).toBe('b.jpg');
    expect(rest?.weakestPair).toEqual(['b.jpg', 'd.jpg']);
    expect(rest?.items.map(({ similarity }) => similarity)).toEqual([0.9, undefined, undefined, undefined]);
  });

  it('ends a group of which all are different, but not its copies', () => {
    expect(ids(separated([group], allApart(group)))).toEqual([['copy/d.jpg', 'd.jpg']]);
    expect(separated([other], allApart(other))).toEqual([]);
  });

  it('never leaves two together that were told apart, in whatever order it was told', () => {
    const pairs: Pair[] = [
      ['b.jpg', 'a.jpg'],
      ['c.jpg', 'copy/d.jpg'],
    ];
    for (const told of [pairs, pairs.toReversed(), pairs.map(([a, b]): Pair => [b, a])]) {
      const after = ids(separated([group], told));
      expect(after.some((one) => one.includes('a.jpg') && one.includes('b.jpg'))).toBe(false);
      expect(after.some((one) => one.includes('c.jpg') && one.includes('d.jpg'))).toBe(false);
      expect(after).toEqual(ids(separated([group], pairs)));
    }
  });
});
