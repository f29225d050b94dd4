import { describe, expect, test } from 'vitest';
import { chanceOfFirst, microAveragePrecision, recallAtPrecision } from './measures.ts';

const pairs = (positives: number[], negatives: number[]) => ({
  positives: Float32Array.from(positives),
  negatives: Float32Array.from(negatives),
});

describe('micro average precision', () => {
  test('is one where every true pair outranks every other', () => {
    expect(microAveragePrecision(pairs([0.9, 0.7], [0.6, 0.1]))).toBe(1);
  });

  test('is the mean over true pairs of the precision at their rank', () => {
    // Ranking: true, false, true, false, false, true: (1/1 + 2/3 + 3/6) / 3.
    const ranked = pairs([0.9, 0.7, 0.2], [0.8, 0.5, 0.4, 0.1]);
    expect(microAveragePrecision(ranked)).toBeCloseTo((1 + 2 / 3 + 1 / 2) / 3, 12);
  });

  test('accepts equal scores together', () => {
    expect(microAveragePrecision(pairs([0.5, 0.5], [0.5, 0.5]))).toBe(0.5);
    expect(microAveragePrecision(pairs([0.5], [0.5, 0.4]))).toBe(0.5);
  });
});

describe('recall at precision', () => {
  const ranked = pairs([0.9, 0.7, 0.2], [0.8, 0.1]);
  test.each([
    [1, 1 / 3],
    [0.75, 1],
    [0.7, 1],
  ])('%d', (precision, recall) => expect(recallAtPrecision(ranked, precision)).toBeCloseTo(recall, 12));

  test('is zero where it is never reached', () => {
    expect(recallAtPrecision(pairs([0.5], [0.9]), 0.999)).toBe(0);
  });
});

test('first place, shared and missed', () => {
  expect(chanceOfFirst(Float32Array.of(0.1, 0.9, 0.3), 1)).toBe(1);
  expect(chanceOfFirst(Float32Array.of(0.9, 0.9, 0.3), 1)).toBe(0.5);
  expect(chanceOfFirst(Float32Array.of(0.95, 0.9, 0.3), 1)).toBe(0);
});
