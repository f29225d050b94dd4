import type { Box, Frame } from '@lookalike/tracking';
import { expect, test } from 'vitest';
import { Random } from '../accuracy/random.ts';
import { middleDistance, overlap, trackingFigures } from './measures.ts';
import { ORACLES, oracleBoxes } from './oracle.ts';
import { axisAligned } from './sequences.ts';
import { TemplateMatcher } from './template-matching.ts';

const box = (x: number, y: number, width: number, height: number): Box => ({ x, y, width, height });

test('overlap is intersection over union', () => {
  expect(overlap(box(0, 0, 10, 10), box(0, 0, 10, 10))).toBe(1);
  expect(overlap(box(0, 0, 10, 10), box(5, 0, 10, 10))).toBeCloseTo(1 / 3);
  expect(overlap(box(0, 0, 10, 10), box(10, 0, 10, 10))).toBe(0);
  expect(overlap(box(0, 0, 10, 10), box(2, 2, 5, 5))).toBeCloseTo(0.25);
  expect(middleDistance(box(0, 0, 10, 10), box(3, 4, 10, 10))).toBe(5);
});

test('success counts thresholds that an overlap passes, precision middles within 20 pixels', () => {
  const truth = [box(0, 0, 10, 10), box(0, 0, 10, 10)];
  // Overlap 1 passes 0, 0.05 ... 0.95 of 21 thresholds; overlap 0 passes none.
  const figures = trackingFigures([box(0, 0, 10, 10), box(0, 20.5, 10, 10)], truth);
  expect(figures).toEqual({ success: 10 / 21, precision20: 0.5, meanOverlap: 0.5 });
  expect(() => trackingFigures([], truth)).toThrow('0 boxes for 2 frames');
});

test('an oracle stands at the true middle, and no other box of its shape overlaps more', () => {
  const truth = [box(10, 20, 30, 40), box(50, 5, 60, 20), box(0, 0, 12, 90)];
  for (const kept of ORACLES)
    for (const [i, found] of oracleBoxes(truth, kept).entries())
      expect(middleDistance(found, truth[i] as Box)).toBeCloseTo(0);
  expect(oracleBoxes(truth, 'fixed size').map(({ width, height }) => [width, height])).toEqual(
    truth.map(() => [30, 40]),
  );
  const random = new Random('boxes');
  for (const [i, best] of oracleBoxes(truth, 'fixed aspect').entries()) {
    const target = truth[i] as Box;
    expect(best.width / best.height).toBeCloseTo(30 / 40);
    for (let tried = 0; tried < 500; tried++) {
      const width = best.width * Math.exp(random.between(-1, 1));
      const other = box(
        target.x + random.between(-30, 30),
        target.y + random.between(-30, 30),
        width,
        (width * 40) / 30,
      );
      expect(overlap(other, target)).toBeLessThanOrEqual(overlap(best, target) + 1e-9);
    }
  }
});

test('a turned box becomes the upright one around it', () => {
  expect(axisAligned('10,20,30,40')).toEqual(box(10, 20, 30, 40));
  expect(axisAligned('205\t151\t17\t50')).toEqual(box(205, 151, 17, 50));
  expect(axisAligned('5,0, 10,5, 5,10, 0,5')).toEqual(box(0, 0, 10, 10));
  expect(() => axisAligned('1,2,3')).toThrow('not a box');
});

test('template matching finds a patch that moved, and that grew where it tries sizes', () => {
  const random = new Random('patch');
  const noise = Array.from({ length: 12 * 12 }, () => random.between(0, 255));
  /** The patch, 24 pixels wide at size 1, with its upper left corner at x, y. */
  const frame = (x: number, y: number, size: number): Frame => {
    const pixels = new Uint8Array(100 * 80 * 3).fill(90);
    for (let row = 0; row < 24 * size; row++)
      for (let column = 0; column < 24 * size; column++) {
        const value = noise[Math.floor(row / (2 * size)) * 12 + Math.floor(column / (2 * size))] as number;
        pixels.fill(value, ((y + row) * 100 + x + column) * 3, ((y + row) * 100 + x + column) * 3 + 3);
      }
    return { width: 100, height: 80, pixels };
  };
  for (const window of [2, Number.POSITIVE_INFINITY]) {
    const matcher = new TemplateMatcher({ scales: [1], window });
    matcher.start(frame(30, 20, 1), box(30, 20, 24, 24));
    expect(overlap(matcher.next(frame(37, 24, 1)), box(37, 24, 24, 24))).toBeGreaterThan(0.95);
  }
  const matcher = new TemplateMatcher({ scales: [1, 1.5], window: 2 });
  matcher.start(frame(30, 20, 1), box(30, 20, 24, 24));
  expect(overlap(matcher.next(frame(28, 18, 1.5)), box(28, 18, 36, 36))).toBeGreaterThan(0.85);
});
