import { expect, it } from 'vitest';
import { formatBytes, formatDuration, formatPlural, formatSimilarity } from './number-format.ts';

it('shows 1.000 only for what is identical', () => {
  expect(formatSimilarity(1)).toBe('1.000');
  expect(formatSimilarity(0.99999)).toBe('0.999');
  expect(formatSimilarity(0.87654)).toBe('0.877');
});

it('gives bytes three significant figures in decimal units', () => {
  expect(formatBytes(0)).toBe('0 B');
  expect(formatBytes(999)).toBe('999 B');
  expect(formatBytes(1536)).toBe('1.54 kB');
  expect(formatBytes(999_700)).toBe('1 MB');
  expect(formatBytes(128_400_000)).toBe('128 MB');
});

it('words durations and counts', () => {
  expect(formatDuration(850.4)).toBe('850 ms');
  expect(formatDuration(2432)).toBe('2.4 s');
  expect(formatDuration(200_000)).toBe('3 min 20 s');
  expect(formatPlural(1, 'picture')).toBe('1 picture');
  expect(formatPlural(12_000, 'picture')).toBe('12,000 pictures');
});
