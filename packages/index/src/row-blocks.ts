import { crc32 } from 'node:zlib';
import {
  Field,
  FixedSizeList,
  Float32,
  Int64,
  Message,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow';
import { type BlockLayout, type Column, columns, type Region } from './block-layout.ts';

/** Rows in ascending UTF-8 byte order of id, columns side by side. */
export interface RowBlock {
  count: number;
  /** Byte offsets of `ids`, `count` + 1. */
  idOffsets: Int32Array;
  ids: Uint8Array;
  versions: Float64Array;
  metadataOffsets: Int32Array;
  /** JSON texts. */
  metadata: Uint8Array;
  /** `count` x dimension. */
  vectors: Float32Array;
}

function schemaOf(dimension: number): Schema {
  return new Schema([
    new Field('id', new Utf8(), false),
    new Field('version', new Int64(), false),
    new Field('metadata', new Utf8(), false),
    new Field('vector', new FixedSizeList(dimension, new Field('item', new Float32(), false)), false),
  ]);
}

const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Arrow messages of rows of one dimension. */
export class RowBlockEncoder {
  readonly dimension: number;
  readonly #schema: Schema;
  /** The beginning of the file. */
  readonly header: Uint8Array;
  /** The end of the file. */
  readonly footer = endOfStream;

  constructor(dimension: number) {
    this.dimension = dimension;
    this.#schema = schemaOf(dimension);
    const empty = new RecordBatchStreamWriter().reset(undefined, this.#schema).finish().toUint8Array(true);
    this.header = empty.slice(0, empty.length - endOfStream.length);
  }

  /** One message, in a buffer of its own, to stand at `offset` of the file, and where its columns are. */
  encode(block: RowBlock, offset: number): { message: Uint8Array; layout: BlockLayout } {
    const { count } = block;
    const versions = BigInt64Array.from(block.versions, (version) => BigInt(version));
    const [id, version, metadata, vector] = this.#schema.fields as [Field, Field, Field, Field];
    const text = (field: Field, valueOffsets: Int32Array, data: Uint8Array) =>
      makeData({ type: field.type as Utf8, length: count, nullCount: 0, valueOffsets, data });
    const children = [
      text(id, block.idOffsets, block.ids),
      makeData({ type: version.type as Int64, length: count, nullCount: 0, data: versions }),
      text(metadata, block.metadataOffsets, block.metadata),
      makeData({
        type: vector.type as FixedSizeList<Float32>,
        length: count,
        nullCount: 0,
        child: makeData({
          type: new Float32(),
          length: count * this.dimension,
          nullCount: 0,
          data: block.vectors,
        }),
      }),
    ];
    const batch = new RecordBatch(
      this.#schema,
      makeData({ type: new Struct(this.#schema.fields), length: count, nullCount: 0, children }),
    );
    const stream = RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true);
    const message = stream.subarray(this.header.length, stream.length - endOfStream.length);
    return { message, layout: layoutOf(message, offset).layout };
  }
}

/** Buffers a column: a text has validity, offsets, data; a number validity, data; a list validity and its child's two. */
const bufferCounts: Record<Column, number> = { id: 3, version: 2, metadata: 3, vector: 3 };

/** Where the columns are of the message that begins at `offset` of the file and at the beginning of `bytes`. */
export function layoutOf(bytes: Uint8Array, offset: number): { layout: BlockLayout; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyStart = 8 + view.getInt32(4, true);
  const message = Message.decode(bytes.subarray(8, bodyStart));
  const { length: rows, buffers } = message.header() as unknown as {
    length: number;
    buffers: { offset: number; length: number }[];
  };
  const regions: Partial<Record<Column, Region>> = {};
  let at = 0;
  for (const column of columns) {
    const parts = buffers.slice(at, at + bufferCounts[column]).filter((buffer) => buffer.length > 0);
    at += bufferCounts[column];
    const start = bodyStart + Math.min(...parts.map((part) => part.offset));
    const end = bodyStart + Math.max(...parts.map((part) => part.offset + part.length));
    regions[column] = { start: offset + start, length: end - start, crc: crc32(bytes.subarray(start, end)) };
  }
  return {
    layout: { rows, regions: regions as Record<Column, Region> },
    length: bodyStart + message.bodyLength,
  };
}
