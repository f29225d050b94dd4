import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hnswBuild } from '@lookalike/hnsw';
import type { BlockLayout } from './block-layout.ts';
import { CoarseCodeBuilder } from './coarse-codes.ts';
import { CodeBuilder, codeStride } from './codes.ts';
import type { HnswParameters, Metric } from './engine.ts';
import { GraphBuilder } from './graph-builder.ts';
import { SegmentKeys } from './keys-file.ts';
import { RowBlockEncoder } from './row-blocks.ts';
import type { SegmentFile, SegmentFiles } from './segment-descriptor.ts';
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
  /** Bytes of int8 codes from which a segment gets coarse ones, too. */
  coarseMinBytes: number;
}

export interface BuiltSegment {
  rows: number;
  /** As in `SegmentDescriptor`; the files themselves stand in the folder, by their names. */
  files: SegmentFiles;
}

/** Builds the files of one segment in a folder, from rows in ascending order of id. */
export class SegmentBuilder {
  readonly #folder: string;
  readonly #settings: SegmentSettings;
  readonly #encoder: RowBlockEncoder;
  readonly #rowsFile: HashedFile;
  readonly #codes: CodeBuilder;
  readonly #coarse: CoarseCodeBuilder | undefined;
  readonly #graph: GraphBuilder | undefined;
  readonly #layouts: BlockLayout[] = [];
  readonly #versions: Float64Array;
  readonly #ids = new ByteColumn();
  readonly #idOffsets: Uint32Array;
  /** Of the block that is being filled, which begins at this row. */
  #blockStart = 0;
  readonly #vectors: Float32Array;
  readonly #metadata = new ByteColumn();
  readonly #metadataOffsets: Int32Array;
  #count = 0;

  /** `capacity`: rows that will be added, at most. */
  constructor(folder: string, settings: SegmentSettings, capacity: number) {
    const { metric, dimension } = settings;
    this.#folder = folder;
    this.#settings = settings;
    this.#encoder = new RowBlockEncoder(dimension);
    this.#rowsFile = new HashedFile(join(folder, segmentFileNames.rows));
    this.#rowsFile.write(this.#encoder.header);
    this.#versions = new Float64Array(capacity);
    this.#idOffsets = new Uint32Array(capacity + 1);
    const blockRows = Math.min(maxBlockRows, Math.ceil(maxBlockBytes / (dimension * 4)), capacity);
    this.#vectors = new Float32Array(blockRows * dimension);
    this.#metadataOffsets = new Int32Array(blockRows + 1);
    this.#codes = new CodeBuilder(metric, dimension, capacity);
    if (capacity * codeStride(dimension) >= settings.coarseMinBytes)
      this.#coarse = new CoarseCodeBuilder(metric, dimension, capacity);
    if (capacity >= settings.graphMinRows && hnswBuild !== undefined)
      this.#graph = new GraphBuilder(metric, dimension, capacity, settings.hnsw);
  }

  get count(): number {
    return this.#count;
  }

  /** The arrays of `row` may be reused by the caller once `add` returns. */
  add({ id, version, metadata, vector }: BuiltRow): void {
    this.#codes.add(vector);
    this.#coarse?.add(vector);
    if (this.#codes.complete) this.#graph?.add(vector);
    const place = this.#count - this.#blockStart;
    this.#versions[this.#count] = version;
    this.#ids.append(id);
    this.#vectors.set(vector, place * vector.length);
    this.#metadata.append(metadata);
    this.#metadataOffsets[place + 1] = this.#metadata.length;
    this.#idOffsets[++this.#count] = this.#ids.length;
    const bytes = this.#ids.length - (this.#idOffsets[this.#blockStart] as number) + this.#metadata.length;
    const isFull = (place + 1) * vector.length === this.#vectors.length;
    if (isFull || bytes + (place + 1) * vector.byteLength >= maxBlockBytes) this.#writeBlock();
  }

  finish(): BuiltSegment {
    this.#writeBlock();
    this.#rowsFile.write(this.#encoder.footer);
    const rows = this.#rowsFile.close();
    const keys = new SegmentKeys({
      versions: this.#versions.subarray(0, this.#count),
      offsets: this.#idOffsets.subarray(0, this.#count + 1),
      ids: this.#ids.from(0),
      blocks: this.#layouts,
    });
    const files: SegmentFiles = {
      rows,
      keys: this.#writeFile(segmentFileNames.keys, keys.encode()),
      codes: this.#writeFile(segmentFileNames.codes, this.#codes.encode()),
    };
    if (this.#coarse !== undefined && this.#codes.complete)
      files.coarse = this.#writeFile(segmentFileNames.coarse, this.#coarse.encode());
    if (this.#graph !== undefined && this.#codes.complete) {
      const path = join(this.#folder, segmentFileNames.graph);
      this.#graph.write(path);
      files.graph = hashFile(path);
    }
    return { rows: this.count, files };
  }

  #writeBlock(): void {
    const start = this.#blockStart;
    const count = this.#count - start;
    if (count === 0) return;
    const firstId = this.#idOffsets[start] as number;
    const { message, layout } = this.#encoder.encode(
      {
        count,
        idOffsets: Int32Array.from(
          this.#idOffsets.subarray(start, this.#count + 1),
          (offset) => offset - firstId,
        ),
        ids: this.#ids.from(firstId),
        versions: this.#versions.subarray(start, this.#count),
        metadataOffsets: this.#metadataOffsets.subarray(0, count + 1),
        metadata: this.#metadata.from(0),
        vectors: this.#vectors.subarray(0, count * this.#settings.dimension),
      },
      this.#rowsFile.length,
    );
    this.#rowsFile.write(message);
    // Given back at once: V8 would let 64 MB of them come together.
    (message.buffer as ArrayBuffer).transfer(0);
    this.#layouts.push(layout);
    this.#blockStart = this.#count;
    this.#metadata.clear();
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

/** Values of a column, one behind the other. */
class ByteColumn {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  append(value: Uint8Array): void {
    const end = this.length + value.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.from(0));
      this.#bytes = grown;
    }
    this.#bytes.set(value, this.length);
    this.length = end;
  }

  /** What was appended from this byte on; good until the next `append`. */
  from(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}
