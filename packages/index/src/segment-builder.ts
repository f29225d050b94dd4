import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CodeBuilder } from './codes.ts';
import type { HnswParameters, Metric } from './engine.ts';
import { GraphBuilder } from './graph.ts';
import { SegmentKeys } from './keys-file.ts';
import { type BlockLayout, RowBlockEncoder } from './row-blocks.ts';
import type { SegmentFile } from './segment-descriptor.ts';
import { segmentFileNames } from './segment-descriptor.ts';

const maxBlockRows = 1024;
const maxBlockBytes = 4 * 1024 * 1024;

export interface BuiltRow {
  id: Uint8Array;
  version: number;
  metadata: Uint8Array;
  vector: Float32Array;
}

export interface SegmentSettings {
  metric: Metric;
  dimension: number;
  hnsw: HnswParameters;
  /** Rows from which a segment gets a graph. */
  graphMinRows: number;
}

export interface BuiltSegment {
  rows: number;
  /** As in `SegmentDescriptor`; the files themselves stand in the folder, by their names. */
  files: { rows: SegmentFile; keys: SegmentFile; codes: SegmentFile; graph?: SegmentFile };
}

/** Builds the files of one segment in a folder, from rows in ascending order of id. */
export class SegmentBuilder {
  readonly #folder: string;
  readonly #settings: SegmentSettings;
  readonly #encoder: RowBlockEncoder;
  readonly #rowsFile: HashedFile;
  readonly #codes: CodeBuilder;
  readonly #graph: GraphBuilder | undefined;
  readonly #layouts: BlockLayout[] = [];
  readonly #versions: number[] = [];
  readonly #ids: Uint8Array[] = [];
  #pending: BuiltRow[] = [];
  #pendingBytes = 0;

  constructor(folder: string, settings: SegmentSettings, capacity: number) {
    this.#folder = folder;
    this.#settings = settings;
    this.#encoder = new RowBlockEncoder(settings.dimension);
    this.#rowsFile = new HashedFile(join(folder, segmentFileNames.rows));
    this.#rowsFile.write(this.#encoder.header);
    this.#codes = new CodeBuilder(settings.metric, settings.dimension, capacity);
    if (capacity >= settings.graphMinRows)
      this.#graph = new GraphBuilder(settings.metric, settings.dimension, capacity, settings.hnsw);
  }

  get count(): number {
    return this.#versions.length;
  }

  /** The arrays of `row` may be reused by the caller once `add` returns, but for `id`. */
  add(row: BuiltRow): void {
    this.#codes.add(row.vector);
    if (this.#codes.usable) this.#graph?.add(row.vector);
    this.#versions.push(row.version);
    this.#ids.push(row.id);
    this.#pending.push(row);
    this.#pendingBytes += row.id.length + row.metadata.length + row.vector.byteLength;
    if (this.#pending.length === maxBlockRows || this.#pendingBytes >= maxBlockBytes) this.#writeBlock();
  }

  finish(): BuiltSegment {
    this.#writeBlock();
    this.#rowsFile.write(this.#encoder.footer);
    const rows = this.#rowsFile.close();
    const keys = new SegmentKeys({
      versions: Float64Array.from(this.#versions),
      offsets: offsetsOf(this.#ids, Uint32Array),
      ids: Buffer.concat(this.#ids),
      blocks: this.#layouts,
    });
    const files: BuiltSegment['files'] = {
      rows,
      keys: this.#writeFile(segmentFileNames.keys, keys.encode()),
      codes: this.#writeFile(segmentFileNames.codes, this.#codes.encode()),
    };
    if (this.#graph !== undefined && this.#codes.usable) {
      const path = join(this.#folder, segmentFileNames.graph);
      this.#graph.write(path);
      files.graph = hashFile(path);
    }
    return { rows: this.count, files };
  }

  #writeBlock(): void {
    const rows = this.#pending;
    if (rows.length === 0) return;
    const { dimension } = this.#settings;
    const vectors = new Float32Array(rows.length * dimension);
    for (const [i, row] of rows.entries()) vectors.set(row.vector, i * dimension);
    const ids = rows.map((row) => row.id);
    const metadata = rows.map((row) => row.metadata);
    const { message, layout } = this.#encoder.encode(
      {
        count: rows.length,
        idOffsets: offsetsOf(ids, Int32Array),
        ids: Buffer.concat(ids),
        versions: Float64Array.from(rows, (row) => row.version),
        metadataOffsets: offsetsOf(metadata, Int32Array),
        metadata: Buffer.concat(metadata),
        vectors,
      },
      this.#rowsFile.length,
    );
    this.#rowsFile.write(message);
    this.#layouts.push(layout);
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #writeFile(name: string, bytes: Uint8Array): SegmentFile {
    const file = new HashedFile(join(this.#folder, name));
    file.write(bytes);
    return file.close();
  }
}

class HashedFile {
  readonly #file: number;
  readonly #hash: Hash = createHash('sha256');
  length = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at);
    this.length += bytes.length;
  }

  close(): SegmentFile {
    closeSync(this.#file);
    return { length: this.length, sha256: this.#hash.digest('hex') };
  }
}

/** Length and SHA-256 of a file, read in parts. */
export function hashFile(path: string): SegmentFile {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    const part = Buffer.allocUnsafe(1 << 20);
    let length = 0;
    for (;;) {
      const read = readSync(file, part, 0, part.length, length);
      if (read === 0) return { length, sha256: hash.digest('hex') };
      hash.update(part.subarray(0, read));
      length += read;
    }
  } finally {
    closeSync(file);
  }
}

function offsetsOf<T extends Int32Array | Uint32Array>(
  parts: readonly Uint8Array[],
  type: new (length: number) => T,
): T {
  const offsets = new type(parts.length + 1);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    at += part.length;
    offsets[i + 1] = at;
  }
  return offsets;
}
