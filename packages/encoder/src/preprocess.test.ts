import { expect, test } from 'vitest';
import { createPreprocessor } from './preprocess.ts';

/** Two pixels in a row: orange-ish and blue-ish. */
const PIXELS = Uint8Array.of(255, 128, 0, 10, 20, 250);
const base = { width: 2, height: 1, layout: 'nchw', mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.4] } as const;
const input = (overrides: object) => ({ ...base, mean: [...base.mean], std: [...base.std], ...overrides });
const scaled = (value: number, channel: 0 | 1 | 2) =>
  Math.fround((value / 255 - base.mean[channel]) / base.std[channel]);

test('nchw: a plane a channel', () => {
  const tensor = createPreprocessor(input({ colorOrder: 'rgb' }) as never)(PIXELS);
  expect([...tensor]).toEqual([
    ...[scaled(255, 0), scaled(10, 0)],
    ...[scaled(128, 1), scaled(20, 1)],
    ...[scaled(0, 2), scaled(250, 2)],
  ]);
});

test('nhwc: channels side by side', () => {
  const tensor = createPreprocessor(input({ colorOrder: 'rgb', layout: 'nhwc' }) as never)(PIXELS);
  expect([...tensor]).toEqual([
    ...[scaled(255, 0), scaled(128, 1), scaled(0, 2)],
    ...[scaled(10, 0), scaled(20, 1), scaled(250, 2)],
  ]);
});

test('bgr: mean and std belong to the channels as the model sees them', () => {
  const tensor = createPreprocessor(input({ colorOrder: 'bgr', layout: 'nhwc' }) as never)(PIXELS);
  expect([...tensor].slice(0, 3)).toEqual([scaled(0, 0), scaled(128, 1), scaled(255, 2)]);
});

test('gray: BT.601 luma, white is white', () => {
  const gray = createPreprocessor({ ...base, colorOrder: 'gray', mean: [0], std: [1] });
  const [orange, blue] = gray(PIXELS) as unknown as [number, number];
  expect(orange * 255).toBeCloseTo(Math.round(0.299 * 255 + 0.587 * 128), 4);
  expect(blue * 255).toBeCloseTo(Math.round(0.299 * 10 + 0.587 * 20 + 0.114 * 250), 4);
  expect([...gray(Uint8Array.of(255, 255, 255, 0, 0, 0))]).toEqual([1, 0]);
});

test('another number of pixels is refused', () => {
  expect(() => createPreprocessor(input({ colorOrder: 'rgb' }) as never)(new Uint8Array(7))).toThrow(
    '6 bytes',
  );
});
