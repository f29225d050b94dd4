import { expect, test } from 'vitest';
import { pixelHashCandidates } from './index.ts';
import { columns, file } from './test-items.ts';

test('only what may have the same pixels is decoded to compare them', () => {
  const items = [
    file('a'),
    file('same size, very near'),
    file('same size, less near'),
    file('very near, other size', { width: 101 }),
    file('same bytes', { contentHash: 'bytes of a' }),
    file('blank', { lowInformation: true }),
    file('blank of that size', { lowInformation: true }),
    file('blank of another size', { lowInformation: true, height: 99 }),
  ];
  const pairs = columns([
    [0, 1, 0.99],
    [0, 2, 0.9],
    [0, 3, 0.99],
    [0, 4, 1],
  ]);
  expect(pixelHashCandidates(items, pairs)).toEqual([0, 1, 5, 6]);
  const copies = [file('x', { contentHash: 'c' }), file('y', { contentHash: 'c' })];
  expect(pixelHashCandidates(copies, columns([[0, 1, 1]]))).toEqual([]);
});
