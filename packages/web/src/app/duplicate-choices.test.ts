import { describe, expect, it } from 'vitest';
import type { ShownGroup } from './different-pictures.ts';
import {
  type Choices,
  countKinds,
  type GroupOrder,
  groupsWith,
  keepOnly,
  keptOf,
  listAsCsv,
  listAsJson,
  removeOnly,
  sortGroups,
  summarise,
  toggleKept,
} from './duplicate-choices.ts';

const item = (id: string, similarity: number, bytes: number) => ({
  id,
  kind: 'near' as const,
  similarity,
  metadata: { picture: { sha256: id, width: 10, height: 10, format: 'jpeg', bytes } },
});
const first: ShownGroup = {
  keep: 'a.jpg',
  reason: 'largest: 10 x 10',
  weakest: 0.9,
  weakestPair: ['a.jpg', 'c.jpg'],
  items: [item('a.jpg', 1, 300), item('b, "two".jpg', 0.95, 200), item('c.jpg', 0.9, 100)],
};
const second: ShownGroup = {
  keep: 'd.jpg',
  reason: 'oldest',
  weakest: 0.99,
  weakestPair: ['d.jpg', 'e.jpg'],
  items: [item('d.jpg', 1, 50), item('e.jpg', 0.99, 40)],
};
const none: Choices = new Map();

describe('choosing what to keep', () => {
  it('starts from the proposal and follows the person', () => {
    expect(keptOf(first, none)).toEqual(['a.jpg']);
    const both = toggleKept(none, first, 'c.jpg');
    expect(keptOf(first, both)).toEqual(['a.jpg', 'c.jpg']);
    const other = toggleKept(both, first, 'a.jpg');
    expect(keptOf(first, other)).toEqual(['c.jpg']);
    expect(keptOf(second, other)).toEqual(['d.jpg']);
    expect(keptOf(first, keepOnly(other, first, 'a.jpg'))).toEqual(['a.jpg']);
  });

  it('never lets the last kept one go', () => {
    expect(toggleKept(none, first, 'a.jpg')).toBe(none);
    const other = keepOnly(none, first, 'c.jpg');
    expect(keptOf(first, toggleKept(other, first, 'c.jpg'))).toEqual(['c.jpg']);
  });

  it('counts what would go', () => {
    expect(summarise([first, second], none)).toEqual({
      groups: 2,
      pictures: 5,
      removed: 3,
      removedBytes: 340,
    });
    expect(summarise([first, second], removeOnly([first], []))).toMatchObject({
      removed: 1,
      removedBytes: 40,
    });
  });

  it('lets a choice go with what it was about, as groups change from search to search', () => {
    const smaller = { ...first, items: first.items.slice(0, 2) };
    expect(keptOf(smaller, toggleKept(none, first, 'c.jpg'))).toEqual(['a.jpg']);
    expect(keptOf(smaller, keepOnly(none, first, 'c.jpg'))).toEqual(['a.jpg']);
  });

  it('removes only some kinds in all groups, and finds the groups that have them', () => {
    const copies: ShownGroup = {
      ...second,
      items: second.items.map((one) => ({ ...one, kind: 'exact' as const })),
    };
    const safe = removeOnly([first, copies], ['exact']);
    expect(keptOf(first, safe)).toEqual(['a.jpg', 'b, "two".jpg', 'c.jpg']);
    expect(keptOf(copies, safe)).toEqual(['d.jpg']);
    expect(countKinds([first, copies])).toEqual({ exact: 1, pixels: 0, near: 2 });
    expect(groupsWith([first, copies], 'exact')).toEqual([copies]);
    expect(groupsWith([first, copies], 'pixels')).toEqual([]);
  });
});

describe('the downloaded list', () => {
  it('is JSON with what to keep and what to remove', () => {
    const choices = keepOnly(none, first, 'c.jpg');
    const list = JSON.parse(
      listAsJson({ collection: 'photos', minSimilarity: 0.8, version: 4 }, [first], choices),
    );
    expect(list).toMatchObject({ collection: 'photos', minSimilarity: 0.8, version: 4 });
    expect(list.groups).toHaveLength(1);
    expect(list.groups[0]).toMatchObject({
      keep: ['c.jpg'],
      remove: ['a.jpg', 'b, "two".jpg'],
      proposed: { keep: 'a.jpg', reason: 'largest: 10 x 10' },
    });
  });

  it('is CSV that quotes what needs it, and holds no formula', () => {
    const third = { ...second, items: [item('d.jpg', 1, 50), item('=1+1', 0.99, 40)] };
    expect(listAsCsv([first, third], none).split('\r\n')).toEqual([
      'group,id,action,kind,similarity,bytes',
      '1,a.jpg,keep,near,1,300',
      '1,"b, ""two"".jpg",remove,near,0.95,200',
      '1,c.jpg,remove,near,0.9,100',
      '2,d.jpg,keep,near,1,50',
      "2,'=1+1,remove,near,0.99,40",
      '',
    ]);
  });
});

describe('the order of groups', () => {
  it('is by name, size, likeness or what would be freed, ties by name', () => {
    const third: ShownGroup = {
      ...second,
      keep: 'A.jpg',
      items: [item('A.jpg', 1, 9), item('z.jpg', 0.99, 9)],
    };
    const groups = [second, first, third];
    const keeps = (order: GroupOrder) => sortGroups(groups, order).map((group) => group.keep);
    expect(keeps('name')).toEqual(['A.jpg', 'a.jpg', 'd.jpg']);
    expect(keeps('size')).toEqual(['a.jpg', 'A.jpg', 'd.jpg']);
    expect(keeps('most-alike')).toEqual(['A.jpg', 'd.jpg', 'a.jpg']);
    expect(keeps('least-alike')).toEqual(['a.jpg', 'A.jpg', 'd.jpg']);
    expect(keeps('bytes')).toEqual(['a.jpg', 'd.jpg', 'A.jpg']);
    expect(groups[0]).toBe(second);
  });
});
