import { LookalikeError } from '@lookalike/store';

/** In pixels of the frame, the origin at its upper left corner; fractions are allowed. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Below this on a side there is nothing in a box to recognise. */
const MIN_SIDE = 4;

/** @throws LookalikeError `bad-box`, naming what is wrong with it. */
export function checkBox(box: Box, frame: { width: number; height: number }): void {
  const { x, y, width, height } = box;
  const shown = `the box ${x},${y},${width},${height} (x, y, width, height)`;
  const refuse = (problem: string) => new LookalikeError('bad-box', `${shown} ${problem}`);
  if (![x, y, width, height].every(Number.isFinite)) throw refuse('has something else than numbers');
  if (width < MIN_SIDE || height < MIN_SIDE)
    throw refuse(`is too small: expected at least ${MIN_SIDE} x ${MIN_SIDE} pixels`);
  if (x < 0 || y < 0 || x + width > frame.width || y + height > frame.height)
    throw refuse(`is not inside the frame, which is ${frame.width} x ${frame.height} pixels`);
}
