import { expect, test } from 'vitest';
import { type DuplicateItem, pixelHashCandidates } from './index.ts';

const file = (key: string, facts: Partial<DuplicateItem> = {}): DuplicateItem => ({
  key,
  contentHash: `bytes of ${key}`,
  width: 100,
  height: 100,
  bytes: 1000,
  modified: 0,
  lowInformation: false,
  ...facts,
});

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
  const pairs = {
    left: Uint32Array.of(0, 0, 0, 0),
    right: Uint32Array.of(1, 2, 3, 4),
    similarity: Float32Array.of(0.99, 0.9, 0.99, 1),
  };
  expect(pixelHashCandidates(items, pairs)).toEqual([0, 1, 5, 6]);
  const copies = [file('x', { contentHash: 'c' }), file('y', { contentHash: 'c' })];
  const pair = { left: Uint32Array.of(0), right: Uint32Array.of(1), similarity: Float32Array.of(1) };
  expect(pixelHashCandidates(copies, pair)).toEqual([]);
});
