import { expect, test } from 'vitest';
import { distanceWindow, findPeak } from './response-peak.ts';

const CELLS = 25;
const bump = (x: number, y: number, height = 1) =>
  Float32Array.from(
    { length: CELLS * CELLS },
    (_, i) => height * Math.exp(-(((i % CELLS) - 12 - x) ** 2 + (Math.floor(i / CELLS) - 12 - y) ** 2) / 4),
  );

test.each([
  [0, 0],
  [3.3, -2.6],
  [-9.5, 7.25],
  [12, -12],
])('finds the top between the cells, %f across and %f down', (x, y) => {
  const peak = findPeak(bump(x, y), CELLS, distanceWindow(CELLS), 0);
  expect(peak.x).toBeCloseTo(x, 0);
  expect(Math.hypot(peak.x - x, peak.y - y)).toBeLessThan(0.13);
  expect(peak.similarity).toBeCloseTo(1, 1);
});

test('the distance window decides between two alike, and leaves the similarity as it is', () => {
  const far = bump(9, 9, 0.82);
  const both = bump(1, 0, 0.8).map((value, i) => Math.max(value, far[i] as number));
  const window = distanceWindow(CELLS);
  expect(findPeak(both, CELLS, window, 0).x).toBeGreaterThan(8);
  const near = findPeak(both, CELLS, window, 0.2);
  expect(near.x).toBeLessThan(2);
  expect(near.similarity).toBeCloseTo(0.8, 1);
  expect(near.rated).toBeLessThan(near.similarity);
});
