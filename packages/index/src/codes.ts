import { crc32 } from 'node:zlib';
import type { Metric } from './engine.ts';
import { encodeFrame } from './frame.ts';

/** Vectors outside these norms would overflow or underflow the float32 of codes and graphs: compared exactly instead. */
const maxNorm = 1e15;
const minNorm = 1e-15;
/** Vectors without a code that are compared one by one with every query: where there are more, all are. */
export const maxUncoded = 64;

/** Codes of rows go from minus this to this. */
export const largestCode = 127;

/**
 * The int8 code of a vector, written to `code`, and what belongs to it. Of one that can have none, all is 0 and the error infinite, so
 * that every search has it among those to compare.
 */
export function codeOf(
  metric: Metric,
  vector: Float32Array,
  code: Int8Array,
): { scale: number; error: number; norm: number } {
  const { scale, error, norm } = quantize(metric, vector, code, largestCode, Math.fround);
  if (norm === 0 || (norm >= minNorm && norm <= maxNorm))
    // Rounded up, so that the bound stays one.
    return { scale, error: error * (1 + 1e-6), norm };
  code.fill(0);
  return { scale: 0, error: Number.POSITIVE_INFINITY, norm: 0 };
}

/** Dimensions of a code: a multiple of 16, the width of the kernel. */
export function codeStride(dimension: number): number {
  return Math.ceil(dimension / 16) * 16;
}

/** Bytes of a row of the `codes` file. */
export function codeRowBytes(dimension: number): number {
  return codeStride(dimension) + 16;
}

/**
 * int8 codes of vectors, each with a scale of its own: vector ~ scale x code. Under cosine, of the normalised vectors.
 * `errors`: the length of what the code misses of its vector; infinite where there is no code. `norms`: of the vectors (1 under cosine). `checks`: CRC-32
 * of the float32 bytes of each vector as stored.
 */
export class CodeBuilder {
  readonly #metric: Metric;
  readonly #dimension: number;
  readonly #stride: number;
  readonly #codes: Int8Array;
  readonly #scales: Float32Array;
  readonly #errors: Float32Array;
  readonly #norms: Float32Array;
  readonly #checks: Uint32Array;
  #count = 0;
  #uncoded = 0;

  constructor(metric: Metric, dimension: number, capacity: number) {
    this.#metric = metric;
    this.#dimension = dimension;
    this.#stride = codeStride(dimension);
    this.#codes = new Int8Array(capacity * this.#stride);
    this.#scales = new Float32Array(capacity);
    this.#errors = new Float32Array(capacity);
    this.#norms = new Float32Array(capacity);
    this.#checks = new Uint32Array(capacity);
  }

  /** False where a vector is too long or short for float32 arithmetic. */
  get complete(): boolean {
    return this.#uncoded === 0;
  }

  add(vector: Float32Array): void {
    const row = this.#count++;
    const code = this.#codes.subarray(row * this.#stride, row * this.#stride + this.#dimension);
    const { scale, error, norm } = codeOf(this.#metric, vector, code);
    this.#scales[row] = scale;
    this.#errors[row] = error;
    this.#norms[row] = norm;
    this.#checks[row] = crc32(bytesOf(vector));
    if (error === Number.POSITIVE_INFINITY) this.#uncoded++;
  }

  /** The file. */
  encode(): Uint8Array {
    const count = this.#count;
    return encodeFrame(
      {
        format: 1,
        kind: 'codes',
        count,
        dimension: this.#dimension,
        stride: this.#stride,
        usable: this.#uncoded <= maxUncoded,
      },
      [
        bytesOf(this.#codes.subarray(0, count * this.#stride)),
        bytesOf(this.#scales.subarray(0, count)),
        bytesOf(this.#errors.subarray(0, count)),
        bytesOf(this.#norms.subarray(0, count)),
        bytesOf(this.#checks.subarray(0, count)),
      ],
    );
  }
}

/**
 * Writes the code of a vector, whole numbers from -`largestStep` to `largestStep`, to `code` and says how it stands to the
 * vector; all lengths computed in float64 from the scale as it will be stored (`roundScale`).
 */
export function quantize(
  metric: Metric,
  vector: Float32Array,
  code: Int8Array | Int16Array,
  largestStep: number,
  roundScale: (scale: number) => number,
): { scale: number; error: number; norm: number; codeNorm: number } {
  let sum = 0;
  let largest = 0;
  for (const value of vector) {
    sum += value * value;
    const size = Math.abs(value);
    if (size > largest) largest = size;
  }
  const length = Math.sqrt(sum);
  const divisor = metric === 'cosine' ? length : 1;
  const scale = roundScale(largest / divisor / largestStep);
  let missed = 0;
  let coded = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = (vector[i] as number) / divisor;
    const step = scale === 0 ? 0 : Math.max(-largestStep, Math.min(largestStep, Math.round(value / scale)));
    code[i] = step;
    const approximate = step * scale;
    coded += approximate * approximate;
    missed += (value - approximate) * (value - approximate);
  }
  return {
    scale,
    error: Math.sqrt(missed),
    norm: metric === 'cosine' ? 1 : length,
    codeNorm: Math.sqrt(coded),
  };
}

function bytesOf(array: Int8Array | Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
