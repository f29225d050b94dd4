import { coarseStride } from './coarse-codes.ts';
import { codeStride, quantize } from './codes.ts';
import type { Metric } from './engine.ts';
import { kernelModule } from './kernel-module.ts';
import { type Memory, webAssembly } from './web-assembly.ts';

const module = new webAssembly.Module(Buffer.from(kernelModule, 'base64'));
const rowsAtOnce = 8192;
/** A multiple of eight, as all runs begin at. */
const firstRows = 256;
const pageBytes = 65_536;
/**
 * Codes of queries go from minus this to this. They are made once, not stored, so they may be finer than those of rows, which
 * halves the bound; with rows of 127 the sum over 4096 dimensions still fits 32 bits.
 */
export const largestQueryCode = 4095;
/** Rows behind the last that the kernel may read. */
const readAhead = 3;
/** Relative error of a norm's square after rounding the norm to float32, with room. */
const normSlack = 3e-7;
/** Float64 rounding of scores and thresholds, with room. */
const slack = 1e-9;

type Scan = (...parameters: number[]) => number;

/** A row that may be among the answers. */
export interface CodeCandidate {
  row: number;
  /** Estimated; larger is nearer: cosine similarity, or |query|^2 - distance^2. */
  score: number;
  /** The true score is at most this far off; infinite of int4 codes, which tell nothing certain, and of vectors that have no code. */
  bound: number;
}

/** Where the codes of rows and what belongs to them are in memory: bytes from its beginning. */
export interface CodeSections {
  codes: number;
  /** float32, one a row; see codes.ts for these three. */
  scales: number;
  /** Of int8 codes. */
  errors?: number;
  norms: number;
}

/** Bits a dimension: see codes.ts and coarse-codes.ts. */
export type CodeKind = 'int8' | 'int4';

/**
 * Codes inside WebAssembly memory, where the kernel can scan them.
 * Memory: query, mask, results of one run, then the codes as their owner lays them out.
 */
export class CodeScanner {
  readonly #memory: Memory;
  readonly #scan: Scan;
  readonly #kind: CodeKind;
  readonly #dimension: number;
  readonly #stride: number;
  /** Where `dataBytes` begin, a multiple of 64. */
  readonly dataAt: number;

  /** For up to `capacity` rows, whose codes take `dataBytes` in all. */
  constructor(kind: CodeKind, capacity: number, dimension: number, dataBytes: number) {
    this.#kind = kind;
    this.#dimension = dimension;
    this.#stride = kind === 'int8' ? codeStride(dimension) : coarseStride(dimension);
    this.dataAt = align(maskAt(dimension) + (capacity >> 3) + 9 + rowsAtOnce * 12, 64);
    const end = this.dataAt + dataBytes + readAhead * this.#stride;
    this.#memory = new webAssembly.Memory({ initial: Math.ceil(end / pageBytes) });
    const instance = new webAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#scan = instance.exports.scan as unknown as Scan;
  }

  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  /**
   * The first `count` rows of `mask` (one bit a row, lowest first) that can be among the `limit` best, or can reach
   * `minScore`; best estimate first. Of int8 codes, every row left out is proven to be worse than `limit` others, or than `minScore`;
   * of int4 ones only by the estimates.
   */
  search(
    at: CodeSections,
    count: number,
    metric: Metric,
    vector: Float32Array,
    mask: Uint8Array,
    limit: number,
    minScore: number,
  ): CodeCandidate[] {
    const buffer = this.#memory.buffer;
    const query = new Int16Array(buffer, 0, align(this.#dimension, 32)).fill(0);
    const { scale, error, norm, codeNorm } = quantize(
      metric,
      vector,
      query.subarray(0, this.#dimension),
      largestQueryCode,
      same,
    );
    const factor = metric === 'cosine' ? 1 : 2;
    const normFactor = metric === 'cosine' ? 0 : 1;
    const bounded = this.#kind === 'int8';
    // Never 0, which would make nothing of an infinite error.
    const errorFactor = bounded ? Math.max(factor * codeNorm * (1 + slack), Number.MIN_VALUE) : 0;
    const normErrorFactor = bounded ? factor * error * (1 + slack) : 0;
    const base = metric === 'cosine' ? 1 : norm * norm;
    const masksAt = maskAt(this.#dimension);
    new Uint8Array(buffer, masksAt, mask.length).set(mask);
    const rowsAt = align(masksAt + (count >> 3) + 1, 8);
    const scoresAt = rowsAt + rowsAtOnce * 4;
    const rows = new Uint32Array(buffer, rowsAt, rowsAtOnce);
    const scores = new Float64Array(buffer, scoresAt, rowsAtOnce);
    const numbers = new Float32Array(buffer, 0);
    // Any number will do where it counts for nothing.
    const errorsAt = at.errors ?? at.scales;
    const best = new BestScores(limit, minScore);
    let candidates: CodeCandidate[] = [];
    let prunedAt = 4 * limit + 4096;
    for (let start = 0, end = 0; start < count; start = end) {
      // Few first: until there is a threshold every row is a candidate.
      end = Math.min(count, start + Math.min(rowsAtOnce, Math.max(firstRows, start)));
      const threshold = best.threshold - slack * (base + Math.abs(best.threshold));
      const found = this.#scan(
        at.codes,
        this.#stride,
        bounded ? 0 : 1,
        at.scales,
        errorsAt,
        at.norms,
        masksAt,
        start,
        end,
        0,
        factor * scale,
        normFactor,
        errorFactor,
        normErrorFactor,
        normFactor * normSlack,
        threshold,
        rowsAt,
        scoresAt,
      );
      for (let i = 0; i < found; i++) {
        const row = rows[i] as number;
        const score = scores[i] as number;
        const length = normFactor === 0 ? 1 : (numbers[at.norms / 4 + row] as number);
        const bound =
          errorFactor * (numbers[errorsAt / 4 + row] as number) +
          normErrorFactor * length +
          normFactor * normSlack * length * length +
          slack * base;
        candidates.push({ row, score, bound });
        best.offer(score - bound);
      }
      if (candidates.length > prunedAt) {
        candidates = candidates.filter(({ score, bound }) => score + bound >= best.threshold);
        prunedAt = 2 * candidates.length + 4096;
      }
    }
    candidates = candidates.filter(({ score, bound }) => score + bound >= best.threshold);
    candidates.sort((a, b) => b.score - a.score || a.row - b.row);
    if (!bounded) for (const candidate of candidates) candidate.bound = Number.POSITIVE_INFINITY;
    return candidates;
  }
}

/** The score of a distance, in the unit of `CodeCandidate.score`; `squaredNorm` of the query. */
export function scoreOf(metric: Metric, distance: number, squaredNorm: number): number {
  return metric === 'cosine' ? 1 - distance : squaredNorm - distance * distance;
}

/** The `limit`-th largest of the numbers offered, once there are so many; `floor` until then. */
class BestScores {
  readonly #limit: number;
  readonly #floor: number;
  readonly #heap: number[] = [];

  constructor(limit: number, floor: number) {
    this.#limit = limit;
    this.#floor = floor;
  }

  get threshold(): number {
    return this.#heap.length < this.#limit ? this.#floor : Math.max(this.#floor, this.#heap[0] as number);
  }

  offer(score: number): void {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      let at = heap.push(score) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if ((heap[parent] as number) <= score) break;
        heap[at] = heap[parent] as number;
        at = parent;
      }
      heap[at] = score;
      return;
    }
    if (score <= (heap[0] as number)) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= score) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = score;
  }
}

function maskAt(dimension: number): number {
  return align(dimension + 16, 16) * 2;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function same(value: number): number {
  return value;
}
