import { type Frame, meanColor } from './frame.ts';

/** A square of a frame, in its pixels; it may reach beyond the frame. */
export interface Square {
  /** The middle; the centre of the upper left pixel is at 0.5, 0.5. */
  x: number;
  y: number;
  side: number;
}

/**
 * A square of a frame, scaled to `size` x `size` with a triangle filter (bilinear where it grows), laid out
 * [channel, row, column], 0-255. What lies outside the frame has the frame's mean colour.
 */
export function cropSquare(frame: Frame, square: Square, size: number): Float32Array<ArrayBuffer> {
  const columns = axisTaps(square.x - square.side / 2, square.side, size, frame.width);
  const rows = axisTaps(square.y - square.side / 2, square.side, size, frame.height);
  const fill = meanColor(frame);
  const { pixels, width } = frame;
  const cropped = new Float32Array(3 * size * size);
  for (let channel = 0; channel < 3; channel++) {
    const outside = fill[channel] as number;
    // Across first: of every row that is needed, `size` values. Rows outside of the frame are never touched.
    const across = new Float32Array(Math.max(0, rows.last - rows.first + 1) * size);
    for (let row = rows.first; row <= rows.last; row++) {
      const from = row * width * 3 + channel;
      const to = (row - rows.first) * size;
      for (let i = 0; i < size; i++) {
        let sum = outside * (columns.missing[i] as number);
        const start = columns.start[i] as number;
        for (let tap = 0; tap < columns.taps; tap++) {
          const weight = columns.weights[i * columns.taps + tap] as number;
          if (weight > 0) sum += weight * (pixels[from + (start + tap) * 3] as number);
        }
        across[to + i] = sum;
      }
    }
    for (let i = 0; i < size; i++) {
      const start = (rows.start[i] as number) - rows.first;
      const to = (channel * size + i) * size;
      const missing = outside * (rows.missing[i] as number);
      cropped.fill(missing, to, to + size);
      for (let tap = 0; tap < rows.taps; tap++) {
        const weight = rows.weights[i * rows.taps + tap] as number;
        if (weight === 0) continue;
        const source = (start + tap) * size;
        for (let j = 0; j < size; j++)
          cropped[to + j] = (cropped[to + j] as number) + weight * (across[source + j] as number);
      }
    }
  }
  return cropped;
}

interface AxisTaps {
  /** The first source pixel of each output pixel; with its `taps` weights, and the share that lies outside. */
  start: Int32Array;
  taps: number;
  weights: Float32Array;
  missing: Float32Array;
  /** Of all source pixels that have a weight; `last < first` where none has. */
  first: number;
  last: number;
}

/** Which source pixels make each of `size` output pixels of `from ... from + length` along an axis of `limit` pixels. */
function axisTaps(from: number, length: number, size: number, limit: number): AxisTaps {
  const step = length / size;
  const reach = Math.max(1, step);
  const taps = Math.ceil(reach * 2) + 1;
  const start = new Int32Array(size);
  const weights = new Float32Array(size * taps);
  const missing = new Float32Array(size);
  let [first, last] = [limit, -1];
  for (let i = 0; i < size; i++) {
    const centre = from + (i + 0.5) * step;
    const begin = Math.floor(centre - reach + 0.5);
    let [total, inside] = [0, 0];
    start[i] = begin;
    for (let tap = 0; tap < taps; tap++) {
      const weight = Math.max(0, 1 - Math.abs(begin + tap + 0.5 - centre) / reach);
      total += weight;
      if (weight === 0 || begin + tap < 0 || begin + tap >= limit) continue;
      inside += weight;
      weights[i * taps + tap] = weight;
      first = Math.min(first, begin + tap);
      last = Math.max(last, begin + tap);
    }
    for (let tap = 0; tap < taps; tap++)
      weights[i * taps + tap] = (weights[i * taps + tap] as number) / total;
    missing[i] = 1 - inside / total;
  }
  return { start, taps, weights, missing, first, last };
}
