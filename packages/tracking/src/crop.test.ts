import { expect, test } from 'vitest';
import { cropSquare } from './crop.ts';
import type { Frame } from './frame.ts';

/** Red is the column, green the row, blue 100. */
function ramp(width: number, height: number): Frame {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.set([i % width, Math.floor(i / width), 100], i * 3);
  return { width, height, pixels };
}

const at = (crop: Float32Array, size: number, channel: number, x: number, y: number) =>
  crop[(channel * size + y) * size + x] as number;

test('a crop of its own size is the pixels', () => {
  const crop = cropSquare(ramp(60, 40), { x: 30, y: 20, side: 16 }, 16);
  expect(at(crop, 16, 0, 0, 0)).toBeCloseTo(22);
  expect(at(crop, 16, 1, 0, 0)).toBeCloseTo(12);
  expect(at(crop, 16, 0, 15, 3)).toBeCloseTo(37);
  expect(at(crop, 16, 2, 7, 7)).toBeCloseTo(100);
});

test.each([0.5, 1.7, 3, 5.3])('a ramp stays a ramp, sampled at %f pixels a step', (step) => {
  const crop = cropSquare(ramp(120, 120), { x: 60.3, y: 58, side: 8 * step }, 8);
  for (const [x, y] of [
    [0, 0],
    [3, 5],
    [7, 7],
  ] as const) {
    // Pixel centres lie at halves, values at whole numbers.
    expect(Math.abs(at(crop, 8, 0, x, y) - (60.3 - 0.5 + (x - 3.5) * step))).toBeLessThan(0.15);
    expect(Math.abs(at(crop, 8, 1, x, y) - (58 - 0.5 + (y - 3.5) * step))).toBeLessThan(0.15);
  }
});

test('shrinking averages: a checkerboard becomes grey', () => {
  const pixels = Uint8Array.from(
    { length: 64 * 64 * 3 },
    (_, i) => ((Math.floor(i / 3) + Math.floor(i / 192)) % 2) * 255,
  );
  const crop = cropSquare({ width: 64, height: 64, pixels }, { x: 32, y: 32, side: 64 }, 16);
  for (const value of crop.subarray(20, 200)) expect(Math.abs(value - 127.5)).toBeLessThan(10);
});

test('beyond the frame lies its mean colour', () => {
  const crop = cropSquare(ramp(40, 40), { x: 0, y: 0, side: 32 }, 32);
  expect(at(crop, 32, 0, 2, 2)).toBeCloseTo(19.5, 0);
  expect(at(crop, 32, 2, 2, 2)).toBeCloseTo(100);
  const far = cropSquare(ramp(40, 40), { x: -500, y: 900, side: 32 }, 8);
  for (const value of far.subarray(0, 64)) expect(value).toBeCloseTo(19.5, 0);
});
