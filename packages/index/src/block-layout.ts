/**
 * `rows.arrows`: an Arrow IPC stream of record batches ("blocks") of the columns id, version, metadata, vector. The place
 * and CRC-32 of every column of every block stand in `keys`, so that a column, or one vector, can be read and checked
 * without the rest, and without Arrow's code, which takes a cold start 10 ms to load.
 */
export const columns = ['id', 'version', 'metadata', 'vector'] as const;
export type Column = (typeof columns)[number];

export interface Region {
  /** Bytes from the beginning of the file. */
  start: number;
  length: number;
  /** CRC-32 of the bytes. */
  crc: number;
}

export interface BlockLayout {
  rows: number;
  regions: Record<Column, Region>;
}
