import type { HeadState } from './head-state.ts';
import type { Tail } from './tail.ts';

/** Rows of a tail, in any order, side by side; ids and metadata as UTF-8. */
export interface PackedRows {
  count: number;
  ids: Uint8Array;
  idOffsets: Uint32Array;
  versions: Float64Array;
  metadata: Uint8Array;
  metadataOffsets: Uint32Array;
  vectors: Float32Array;
}

/** The live rows of a state that are in no segment, written up to `last`. */
export function packTail({ tail, version }: HeadState, last = version): PackedRows {
  const rows: number[] = [];
  const end = tail.firstAfter(last);
  for (let row = 0; row < end; row++) if (tail.isLive(row, version)) rows.push(row);
  const vectors = new Float32Array(rows.length * tail.dimension);
  for (const [i, row] of rows.entries()) vectors.set(tail.vector(row), i * tail.dimension);
  const [ids, idOffsets] = packTexts(rows, tail.ids);
  const [metadata, metadataOffsets] = packTexts(rows, tail.metadata);
  return {
    count: rows.length,
    ids,
    idOffsets,
    versions: Float64Array.from(rows, (row) => tail.versions[row] as number),
    metadata,
    metadataOffsets,
    vectors,
  };
}

/** The texts of rows as UTF-8 and where each begins, in memory of its own, so that it can be moved to another thread. */
function packTexts(rows: readonly number[], texts: readonly string[]): [Uint8Array, Uint32Array] {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [i, row] of rows.entries())
    offsets[i + 1] = (offsets[i] as number) + Buffer.byteLength(texts[row] as string);
  const bytes = new Uint8Array(offsets[rows.length] as number);
  const written = Buffer.from(bytes.buffer);
  for (const [i, row] of rows.entries()) written.write(texts[row] as string, offsets[i] as number);
  return [bytes, offsets];
}

/**
 * The arrays one after the other, those of larger numbers first, so that each begins where its numbers may: versions, float64;
 * vectors, float32; offsets of ids and of metadata, uint32; ids; metadata. Behind them any bytes may follow.
 */
export function packedArrays(rows: PackedRows): Uint8Array[] {
  const { versions, vectors, idOffsets, metadataOffsets, ids, metadata } = rows;
  const lengths = Float64Array.of(vectors.length, ids.length, metadata.length);
  return [lengths, versions, vectors, idOffsets, metadataOffsets, ids, metadata].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
}

/** The arrays again, as views of `bytes`, which begin at a multiple of 8, and the bytes behind them. */
export function unpackArrays(bytes: Uint8Array, count: number): { rows: PackedRows; rest: Uint8Array } {
  const { buffer } = bytes;
  let at = bytes.byteOffset;
  const take = <T extends { byteLength: number }>(
    type: new (buffer: ArrayBufferLike, at: number, length: number) => T,
    length: number,
  ): T => {
    const array = new type(buffer, at, length);
    at += array.byteLength;
    return array;
  };
  const [numbers = 0, idBytes = 0, metadataBytes = 0] = take(Float64Array, 3);
  const rows = {
    count,
    versions: take(Float64Array, count),
    vectors: take(Float32Array, numbers),
    idOffsets: take(Uint32Array, count + 1),
    metadataOffsets: take(Uint32Array, count + 1),
    ids: take(Uint8Array, idBytes),
    metadata: take(Uint8Array, metadataBytes),
  } as PackedRows;
  return { rows, rest: bytes.subarray(at - bytes.byteOffset) };
}

/** Appends rows, which are in ascending order of version, to a tail. */
export function appendPacked(tail: Tail, rows: PackedRows): void {
  const text = (bytes: Uint8Array, offsets: Uint32Array, row: number) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
      'utf8',
      offsets[row],
      offsets[row + 1],
    );
  for (let row = 0; row < rows.count; row++)
    tail.append(
      rows.versions[row] as number,
      text(rows.ids, rows.idOffsets, row),
      rows.vectors,
      row * tail.dimension,
      text(rows.metadata, rows.metadataOffsets, row),
    );
}
