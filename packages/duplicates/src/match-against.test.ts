import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DuplicateItem, matchAgainst } from './index.ts';
import { columns, file } from './test-items.ts';

function matched(
  items: DuplicateItem[],
  boundary: number,
  pairs: readonly (readonly [number, number, number])[],
  different?: (a: string, b: string) => boolean,
) {
  const key = (index: number) => items[index]?.key;
  return matchAgainst(items, boundary, columns(pairs), different ? { different } : {}).map(
    ({ keep, members }) => [key(keep), ...members.slice(1).map(({ index, kind }) => `${key(index)} ${kind}`)],
  );
}

describe('matching a folder against a reference', () => {
  test('every item goes with the reference it is most alike to, bytes before pixels before similarity', () => {
    const items = [
      file('a', { contentHash: 'x' }),
      file('b', { pixelHash: 'p' }),
      file('c'),
      file('d'),
      file('ref1', { contentHash: 'x' }),
      file('ref2', { pixelHash: 'p' }),
      file('ref3'),
    ];
    expect(
      matched(items, 4, [
        [0, 6, 0.99],
        [1, 6, 0.99],
        [2, 5, 0.9],
        [2, 6, 0.95],
        [2, 3, 0.99],
      ]),
    ).toEqual([
      ['ref1', 'a exact'],
      ['ref2', 'b pixels'],
      ['ref3', 'c near'],
    ]);
  });

  test('an animation goes with one that runs alike, whatever that lacks, and not with a still', () => {
    const frames = (digit: string) => ({ frameHashes: Array(8).fill(digit.repeat(128)) });
    const items = [
      file('a', { frames: 30, ...frames('1') }),
      file('ref1', { frames: 10, ...frames('1') }),
      file('ref2', { frames: 30, ...frames('e') }),
      file('ref3'),
    ];
    const pairs = [1, 2, 3].map((reference) => [0, reference, 0.9 + reference / 100] as const);
    expect(matched(items, 1, pairs)).toEqual([['ref1', 'a near']]);
    expect(matchAgainst(items, 1, columns(pairs))[0]?.reason).toBe(
      'in the reference folder, though of fewer frames',
    );
  });

  test('says of every group which of it is the least alike to the reference', () => {
    const items = ['b', 'a', 'c', 'same'].map((key) => file(key));
    items.push(file('ref', { contentHash: 'bytes of same' }));
    const [group] = matchAgainst(
      items,
      4,
      columns([
        [0, 4, 0.75],
        [1, 4, 0.5],
        [2, 4, 0.875],
      ]),
    );
    expect(group?.members.map(({ index }) => items[index]?.key)).toEqual(['ref', 'same', 'c', 'b', 'a']);
    expect(group?.weakest).toEqual({ a: 1, b: 4, similarity: 0.5 });
  });

  test('blank pictures match by bytes and pixels only, and verdicts hold', () => {
    const blank = { lowInformation: true };
    const items = [
      file('a', blank),
      file('b', { ...blank, pixelHash: 'p' }),
      file('c'),
      file('ref1', { ...blank, pixelHash: 'p' }),
      file('ref2'),
    ];
    const pairs = [
      [0, 3, 1],
      [2, 4, 0.9],
    ] as const;
    expect(matched(items, 3, pairs)).toEqual([
      ['ref1', 'b pixels'],
      ['ref2', 'c near'],
    ]);
    const different = (a: string, b: string) => a === 'bytes of c' && b === 'bytes of ref2';
    expect(matched(items, 3, pairs, different)).toEqual([['ref1', 'b pixels']]);
  });

  test('takes perceptual hashes where embeddings find nothing nearer', () => {
    const items = ['a', 'b', 'ref1', 'ref2'].map((key) => file(key));
    const one = (a: number, b: number, similarity: number) => columns([[a, b, similarity]]);
    const groups = matchAgainst(items, 2, one(0, 2, 0.9), {
      hashes: { pairs: one(1, 3, 0.5), similarity: () => 0.5 },
    });
    expect(groups.map(({ keep, members }) => [keep, members[1]])).toEqual([
      [2, { index: 0, kind: 'near', similarity: expect.closeTo(0.9), by: 'embedding' }],
      [3, { index: 1, kind: 'near', similarity: 0.5, by: 'perceptual-hash' }],
    ]);
  });

  test('says where the reference is the smaller picture', () => {
    const items = [file('a', { width: 101 }), file('b'), file('ref1'), file('ref2')];
    const pairs = columns([
      [0, 2, 1],
      [1, 3, 1],
    ]);
    expect(matchAgainst(items, 2, pairs).map(({ reason }) => reason)).toEqual([
      'in the reference folder, though of lower resolution',
      'in the reference folder',
    ]);
  });

  test('an animation is not found in its still, nor in another that begins alike; a still is in the animation', () => {
    const items = [
      file('animation', { frames: 3 }),
      file('still'),
      file('ref1'),
      file('ref2', { frames: 3 }),
      file('ref3', { frames: 4 }),
    ];
    expect(
      matched(items, 2, [
        [0, 2, 1],
        [0, 3, 1],
        [0, 4, 1],
        [1, 3, 1],
      ]),
    ).toEqual([['ref2', 'still near']]);
  });

  test('does not depend on the order of pairs', () => {
    const items = ['a', 'b', 'c', 'x', 'y', 'z'].map((key) => file(key));
    const pair = fc.tuple(fc.nat(2), fc.integer({ min: 3, max: 5 }), fc.constantFrom(0.875, 0.9375));
    fc.assert(
      fc.property(fc.uniqueArray(pair, { selector: ([a, b]) => a * 10 + b }), (pairs) => {
        expect(matched(items, 3, pairs.toReversed())).toEqual(matched(items, 3, pairs));
      }),
    );
  });
});
