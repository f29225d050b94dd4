import { describe, expect, test } from 'vitest';
import { falsePositiveRateAt, pairsFrom, type SimilarPairs, thresholdForPrecision } from './index.ts';

const POINTS = [
  { similarity: 0.6, falsePositiveRate: 1e-4 },
  { similarity: 0.4, falsePositiveRate: 1e-2 },
];

function pairsOf(similarities: readonly number[]): SimilarPairs {
  return {
    left: Uint32Array.from(similarities, () => 0),
    right: Uint32Array.from(similarities, (_, index) => index + 1),
    similarity: Float32Array.from(similarities),
  };
}

describe('the false-positive rate', () => {
  test('is log-linear between calibrated points and beyond the last, and 1 below the first', () => {
    expect(falsePositiveRateAt(POINTS, 0.4)).toBeCloseTo(1e-2, 10);
    expect(falsePositiveRateAt(POINTS, 0.5)).toBeCloseTo(1e-3, 10);
    expect(falsePositiveRateAt(POINTS, 0.6)).toBeCloseTo(1e-4, 10);
    expect(falsePositiveRateAt(POINTS, 0.8)).toBeCloseTo(1e-6, 10);
    expect(falsePositiveRateAt(POINTS, 0.3)).toBe(1);
  });

  test('needs two points', () => {
    expect(() => falsePositiveRateAt(POINTS.slice(1), 0.5)).toThrow(
      expect.objectContaining({ code: 'not-calibrated' }),
    );
  });
});

describe('the threshold for a precision', () => {
  // Ten unrelated pairs about 0.5, ninety true ones from 0.7 on.
  const similarities = [
    ...Array.from({ length: 10 }, (_, index) => 0.5 + index / 1000),
    ...Array.from({ length: 90 }, (_, index) => 0.7 + index / 1000),
  ];

  test('is the lowest that the estimate allows', () => {
    // Of 10,000 compared pairs ten unrelated ones are expected at 0.5: 10 of 100 found.
    expect(thresholdForPrecision(pairsOf(similarities), 10_000, POINTS, 0.89)?.similarity).toBeCloseTo(
      0.5,
      6,
    );
    const stricter = thresholdForPrecision(pairsOf(similarities), 10_000, POINTS, 0.95);
    expect(stricter?.similarity).toBeCloseTo(0.7, 6);
    expect(stricter?.precision).toBeCloseTo(1 - (10_000 * 1e-5) / 90, 6);
  });

  test('rises with the number of pairs compared, and may not exist', () => {
    const few = thresholdForPrecision(pairsOf(similarities), 100_000, POINTS, 0.9)?.similarity ?? 0;
    const many = thresholdForPrecision(pairsOf(similarities), 1_000_000, POINTS, 0.9)?.similarity ?? 0;
    expect(many).toBeGreaterThan(few);
    expect(thresholdForPrecision(pairsOf(similarities), 1e9, POINTS, 0.9)).toBeUndefined();
    expect(thresholdForPrecision(pairsOf([]), 10, POINTS, 0.9)).toBeUndefined();
  });

  test('is itself among the pairs kept', () => {
    const threshold = thresholdForPrecision(pairsOf(similarities), 10_000, POINTS, 0.95);
    const kept = pairsFrom(pairsOf(similarities), threshold?.similarity ?? 0);
    expect(kept.left.length).toBe(90);
    expect(Math.min(...kept.similarity)).toBe(threshold?.similarity);
    expect(Array.from(kept.right)).toEqual(Array.from({ length: 90 }, (_, index) => index + 11));
  });
});
