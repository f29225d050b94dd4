import { crc32 } from 'node:zlib';
import type { Metric } from './engine.ts';
import { encodeFrame } from './frame.ts';

const largestLevel = 7;
/** Share of the largest number from which on all have the largest level: the rest is told apart the better for it. */
const clippedFrom = 0.9;

/** Bytes of a code: sixteen for each 32 dimensions. */
export function coarseStride(dimension: number): number {
  return Math.ceil(dimension / 32) * 16;
}

/** Bytes of a row of the `coarse` file. */
export function coarseRowBytes(dimension: number): number {
  return coarseStride(dimension) + 12;
}

/**
 * 4-bit codes of vectors, for a first answer from half the bytes of the int8 ones (codes.ts). Of each sixteen bytes the low halves
 * are the levels, -7 to 7, plus eight, of the first sixteen of 32 dimensions, the high halves those of the others.
 *
 * The scale of a row is chosen so that scale x (code . vector) = |vector|^2, not for the least error: what a query and a row have in
 * common is then told rightly, so that of near rows little is left to be wrong about. Estimates have no bound.
 */
export class CoarseCodeBuilder {
  readonly #metric: Metric;
  readonly #dimension: number;
  readonly #stride: number;
  readonly #codes: Uint8Array;
  readonly #scales: Float32Array;
  readonly #norms: Float32Array;
  readonly #checks: Uint32Array;
  #count = 0;

  constructor(metric: Metric, dimension: number, capacity: number) {
    this.#metric = metric;
    this.#dimension = dimension;
    this.#stride = coarseStride(dimension);
    this.#codes = new Uint8Array(capacity * this.#stride);
    this.#scales = new Float32Array(capacity);
    this.#norms = new Float32Array(capacity);
    this.#checks = new Uint32Array(capacity);
  }

  add(vector: Float32Array): void {
    const row = this.#count++;
    let squares = 0;
    let largest = 0;
    for (const value of vector) {
      squares += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    const code = this.#codes.subarray(row * this.#stride, (row + 1) * this.#stride);
    let along = 0;
    for (const [i, value] of vector.entries()) {
      const exactLevel = largest === 0 ? 0 : (value / largest) * (largestLevel / clippedFrom);
      const level = Math.max(-largestLevel, Math.min(largestLevel, Math.round(exactLevel)));
      along += level * value;
      const at = (i >> 5) * 16 + (i & 15);
      code[at] = (code[at] as number) | ((level + 8) << (i & 16 ? 4 : 0));
    }
    const norm = Math.sqrt(squares);
    const cosine = this.#metric === 'cosine';
    this.#scales[row] = along === 0 ? 0 : (cosine ? norm : squares) / along;
    this.#norms[row] = cosine ? 1 : norm;
    this.#checks[row] = crc32(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  }

  /** The file. */
  encode(): Uint8Array {
    const count = this.#count;
    const part = ({ buffer }: { buffer: ArrayBufferLike }, rowBytes: number) =>
      new Uint8Array(buffer, 0, count * rowBytes);
    return encodeFrame(
      { format: 1, kind: 'coarse', count, dimension: this.#dimension, stride: this.#stride },
      [part(this.#codes, this.#stride), part(this.#scales, 4), part(this.#norms, 4), part(this.#checks, 4)],
    );
  }
}
