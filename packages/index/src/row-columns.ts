/** Reading the column regions that row-blocks.ts writes. */

/** Where the texts begin in the region of a text column: after its `rows` + 1 int32 offsets, padded to 8 bytes. */
export function textsStart(rows: number): number {
  return Math.ceil(((rows + 1) * 4) / 8) * 8;
}

/** The bytes of text `index` of a text column's region. */
export function textAt(region: Uint8Array, rows: number, index: number): Uint8Array {
  const view = new DataView(region.buffer, region.byteOffset, region.byteLength);
  const texts = textsStart(rows);
  return region.subarray(texts + view.getInt32(index * 4, true), texts + view.getInt32(index * 4 + 4, true));
}

/** The vectors of a vector column's region; a copy where its bytes are not aligned. */
export function decodeVectors(region: Uint8Array, rows: number, dimension: number): Float32Array {
  const aligned = region.byteOffset % 4 === 0 ? region : region.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, rows * dimension);
}
