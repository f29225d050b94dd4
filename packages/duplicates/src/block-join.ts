import type { EmbeddingTable } from './embedding-table.ts';
import { type JoinModule, openJoinModule } from './join-module.ts';

const PAIR_BYTES = 12;

/** Rows of a block; two of 256 numbers each take half a megabyte, which stays in the second-level cache. */
export const ROWS_A_BLOCK = 256;

/**
 * Dot products of all rows of one block with all of another, in WebAssembly: a block at a time is copied in, so that its
 * memory is small whatever the size of the table. The sums are made in a fixed order: the same on every machine.
 */
export class BlockJoin {
  readonly #table: EmbeddingTable;
  readonly #stride: number;
  readonly #buffer: ArrayBuffer;
  readonly #functions: JoinModule;
  readonly #left = 0;
  readonly #right: number;
  readonly #out: number;

  constructor(table: EmbeddingTable) {
    this.#table = table;
    this.#stride = Math.ceil(table.dimension / 4) * 4;
    const blockBytes = ROWS_A_BLOCK * this.#stride * 4;
    this.#right = blockBytes;
    this.#out = 2 * blockBytes;
    const { buffer, functions } = openJoinModule(this.#out + ROWS_A_BLOCK * ROWS_A_BLOCK * PAIR_BYTES);
    this.#buffer = buffer;
    this.#functions = functions;
  }

  /** Calls `found` for the pairs of rows of the two ranges (at most `ROWS_A_BLOCK` rows each) that are similar enough. */
  run(
    left: { start: number; end: number },
    right: { start: number; end: number },
    minSimilarity: number,
    found: (a: number, b: number, similarity: number) => void,
  ): void {
    this.#load(left, this.#left);
    this.#load(right, this.#right);
    const rightCount = Math.ceil((right.end - right.start) / 4) * 4;
    const count = this.#functions.join(
      this.#left,
      left.end - left.start,
      this.#right,
      rightCount,
      this.#stride,
      minSimilarity,
      this.#out,
    );
    const indices = new Uint32Array(this.#buffer, this.#out, count * 3);
    const similarities = new Float32Array(this.#buffer, this.#out, count * 3);
    for (let pair = 0; pair < count; pair++) {
      const b = right.start + (indices[3 * pair + 1] as number);
      if (b >= right.end) continue;
      found(left.start + (indices[3 * pair] as number), b, similarities[3 * pair + 2] as number);
    }
  }

  /** Rows as they are, each padded with zeros to the stride; rows up to a multiple of 4 are zeros. */
  #load({ start, end }: { start: number; end: number }, at: number): void {
    const { values, dimension } = this.#table;
    const block = new Float32Array(this.#buffer, at, ROWS_A_BLOCK * this.#stride);
    if (this.#stride === dimension) block.set(values.subarray(start * dimension, end * dimension));
    else
      for (let row = start; row < end; row++)
        block.set(values.subarray(row * dimension, (row + 1) * dimension), (row - start) * this.#stride);
    block.fill(0, (end - start) * this.#stride);
  }
}
