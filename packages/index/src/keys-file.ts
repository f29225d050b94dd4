import { type BlockLayout, columns, type Region } from './block-layout.ts';
import { decodeFrame, encodeFrame } from './frame.ts';

const numbersPerBlock = 1 + 3 * columns.length;

/** Ids (ascending, UTF-8 byte order) and versions of a segment's rows, and where the columns of its blocks are. */
export class SegmentKeys {
  readonly count: number;
  readonly versions: Float64Array;
  readonly blocks: readonly BlockLayout[];
  /** The first row of each block. */
  readonly blockStarts: Uint32Array;
  readonly #offsets: Uint32Array;
  readonly #ids: Buffer;

  constructor(parts: {
    versions: Float64Array;
    /** Byte offsets into `ids`, one more than rows. */
    offsets: Uint32Array;
    ids: Uint8Array;
    blocks: readonly BlockLayout[];
  }) {
    this.count = parts.versions.length;
    this.versions = parts.versions;
    this.blocks = parts.blocks;
    this.#offsets = parts.offsets;
    this.#ids = Buffer.from(parts.ids.buffer, parts.ids.byteOffset, parts.ids.byteLength);
    this.blockStarts = new Uint32Array(parts.blocks.length);
    let start = 0;
    for (const [i, block] of parts.blocks.entries()) {
      this.blockStarts[i] = start;
      start += block.rows;
    }
  }

  id(row: number): string {
    return this.#ids.toString('utf8', this.#offsets[row], this.#offsets[row + 1]);
  }

  /** The row of an id, or -1. */
  find(id: string): number {
    const row = this.firstAtOrAfter(id);
    return row < this.count && this.id(row) === id ? row : -1;
  }

  /** The first row whose id is this or follows it. */
  firstAtOrAfter(id: string): number {
    const wanted = Buffer.from(id);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(middle, wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  blockOf(row: number): number {
    const starts = this.blockStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #compare(row: number, wanted: Uint8Array): number {
    const start = this.#offsets[row] as number;
    const length = (this.#offsets[row + 1] as number) - start;
    const shared = Math.min(length, wanted.length);
    for (let i = 0; i < shared; i++) {
      const difference = (this.#ids[start + i] as number) - (wanted[i] as number);
      if (difference !== 0) return difference;
    }
    return length - wanted.length;
  }

  encode(): Uint8Array {
    const layouts = new Float64Array(this.blocks.length * numbersPerBlock);
    for (const [i, block] of this.blocks.entries()) {
      const at = i * numbersPerBlock;
      layouts[at] = block.rows;
      for (const [c, column] of columns.entries()) {
        const { start, length, crc } = block.regions[column];
        layouts.set([start, length, crc], at + 1 + 3 * c);
      }
    }
    return encodeFrame({ format: 1, kind: 'keys', count: this.count, blocks: this.blocks.length }, [
      bytesOf(layouts),
      bytesOf(this.versions),
      bytesOf(this.#offsets),
      this.#ids,
    ]);
  }

  static decode(key: string, stored: Uint8Array): SegmentKeys {
    const { header, payload } = decodeFrame(key, stored);
    const { count, blocks: blockCount } = header as { count: number; blocks: number };
    const { buffer } = payload;
    let at = payload.byteOffset;
    const layouts = new Float64Array(buffer, at, blockCount * numbersPerBlock);
    at += layouts.byteLength;
    const versions = new Float64Array(buffer, at, count);
    at += versions.byteLength;
    const offsets = new Uint32Array(buffer, at, count + 1);
    at += offsets.byteLength;
    const ids = new Uint8Array(buffer, at, payload.byteOffset + payload.byteLength - at);
    const blocks = Array.from({ length: blockCount }, (_, i): BlockLayout => {
      const at = i * numbersPerBlock;
      const region = (c: number): Region => ({
        start: layouts[at + 1 + 3 * c] as number,
        length: layouts[at + 2 + 3 * c] as number,
        crc: layouts[at + 3 + 3 * c] as number,
      });
      return {
        rows: layouts[at] as number,
        regions: { id: region(0), version: region(1), metadata: region(2), vector: region(3) },
      };
    });
    return new SegmentKeys({ versions, offsets, ids, blocks });
  }
}

function bytesOf(array: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
