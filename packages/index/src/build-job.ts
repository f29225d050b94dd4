import { closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { LookalikeError } from '@lookalike/store';
import { countBits, hasBit } from './bits.ts';
import type { Column } from './block-layout.ts';
import { SegmentKeys } from './keys-file.ts';
import type { PackedRows } from './packed-rows.ts';
import { decodeVectors, textAt } from './row-columns.ts';
import { type BuiltRow, type BuiltSegment, SegmentBuilder, type SegmentSettings } from './segment-builder.ts';

/** The rows of a segment that live (bit set, lowest first). */
export interface SegmentSource {
  /** Object key of the rows, for messages. */
  key: string;
  rowsPath: string;
  /** The `keys` file. */
  keys: Uint8Array;
  live: Uint8Array;
}

export interface BuildJob {
  settings: SegmentSettings;
  /** Each in ascending order of id; an id in one of them only. */
  segments: SegmentSource[];
  tail?: PackedRows;
  /** Segments go to folders `0`, `1`, … of it. */
  folder: string;
  /** Rows a segment at most. */
  maxRows: number;
}

/** Merges the rows of a job to new segments; memory is bounded by the codes and graph of one of them. */
export function runBuildJob(job: BuildJob): BuiltSegment[] {
  const sources = job.segments.map((segment) => segmentRows(segment, job.settings.dimension));
  if (job.tail !== undefined) sources.push(tailRows(job.tail, job.settings.dimension));
  let remaining =
    (job.tail?.count ?? 0) + job.segments.reduce((sum, segment) => sum + countBits(segment.live), 0);
  const parts = Math.max(1, Math.ceil(remaining / job.maxRows));
  const perSegment = Math.ceil(remaining / parts);
  const built: BuiltSegment[] = [];
  let builder: SegmentBuilder | undefined;
  for (const row of merge(sources)) {
    if (builder === undefined) {
      const folder = join(job.folder, String(built.length));
      mkdirSync(folder, { recursive: true });
      builder = new SegmentBuilder(folder, job.settings, Math.min(perSegment, remaining));
    }
    builder.add(row);
    if (builder.count === perSegment) {
      built.push(builder.finish());
      remaining -= builder.count;
      builder = undefined;
    }
  }
  if (builder !== undefined) built.push(builder.finish());
  return built;
}

function* merge(sources: Iterator<BuiltRow>[]): Generator<BuiltRow> {
  const heads: { row: BuiltRow; source: Iterator<BuiltRow> }[] = [];
  for (const source of sources) {
    const { value, done } = source.next();
    if (!done) heads.push({ row: value, source });
  }
  while (heads.length > 0) {
    let first = 0;
    for (let i = 1; i < heads.length; i++)
      if (
        Buffer.compare((heads[i] as { row: BuiltRow }).row.id, (heads[first] as { row: BuiltRow }).row.id) < 0
      )
        first = i;
    const head = heads[first] as (typeof heads)[number];
    yield head.row;
    const { value, done } = head.source.next();
    if (done) heads.splice(first, 1);
    else head.row = value;
  }
}

function* segmentRows(source: SegmentSource, dimension: number): Generator<BuiltRow> {
  const keys = SegmentKeys.decode(source.key, source.keys);
  const file = openSync(source.rowsPath, 'r');
  try {
    let first = 0;
    for (const block of keys.blocks) {
      const read = (column: Column): Uint8Array => {
        const { start, length, crc } = block.regions[column];
        const bytes = new Uint8Array(length);
        const got = readSync(file, bytes, 0, length, start);
        if (got !== length || crc32(bytes) !== crc)
          throw new LookalikeError(
            'damaged-object',
            `${source.key} is damaged: column ${column} at byte ${start}`,
            {
              details: { key: source.key },
            },
          );
        return bytes;
      };
      const ids = read('id');
      const metadata = read('metadata');
      const vectors = decodeVectors(read('vector'), block.rows, dimension);
      for (let i = 0; i < block.rows; i++) {
        const row = first + i;
        if (!hasBit(source.live, row)) continue;
        yield {
          id: textAt(ids, block.rows, i),
          version: keys.versions[row] as number,
          metadata: textAt(metadata, block.rows, i),
          vector: vectors.subarray(i * dimension, (i + 1) * dimension),
        };
      }
      first += block.rows;
    }
  } finally {
    closeSync(file);
  }
}

function* tailRows(tail: PackedRows, dimension: number): Generator<BuiltRow> {
  const part = (bytes: Uint8Array, offsets: Uint32Array, row: number) =>
    bytes.subarray(offsets[row] as number, offsets[row + 1] as number);
  const order = Array.from({ length: tail.count }, (_, row) => row).sort((a, b) =>
    Buffer.compare(part(tail.ids, tail.idOffsets, a), part(tail.ids, tail.idOffsets, b)),
  );
  for (const row of order)
    yield {
      id: part(tail.ids, tail.idOffsets, row),
      version: tail.versions[row] as number,
      metadata: part(tail.metadata, tail.metadataOffsets, row),
      vector: tail.vectors.subarray(row * dimension, (row + 1) * dimension),
    };
}
