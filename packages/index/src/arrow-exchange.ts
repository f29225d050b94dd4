import { LookalikeError } from '@lookalike/store';
import type { RecordBatch } from 'apache-arrow';
import { arrowStream } from './arrow-framing.ts';
import type { Collection, Item, Metadata, UpsertResult } from './engine.ts';

/** Rows a message of an export, and items a write of an import. */
const rowsAtOnce = 1000;

/**
 * All live items in ascending order of id as an Arrow IPC stream with the columns id (utf8), version (int64), metadata (utf8, JSON) and
 * vector (fixed-size list of float32). Page after page: what is written meanwhile may be in it or not.
 */
export async function* exportArrow(collection: Collection): AsyncGenerator<Uint8Array> {
  const { RowBlockEncoder } = await import('./row-blocks.ts');
  const encoder = new RowBlockEncoder(collection.info.dimension);
  yield encoder.header;
  let after: string | undefined;
  do {
    const page = await collection.scan({
      limit: rowsAtOnce,
      include: ['metadata', 'vector'],
      ...(after && { after }),
    });
    after = page.next;
    if (page.items.length === 0) break;
    const ids = page.items.map(({ id }) => Buffer.from(id));
    const texts = page.items.map(({ metadata }) => Buffer.from(JSON.stringify(metadata)));
    const vectors = new Float32Array(page.items.length * collection.info.dimension);
    for (const [i, { vector }] of page.items.entries())
      vectors.set(vector as Float32Array, i * collection.info.dimension);
    yield encoder.encode(
      {
        count: page.items.length,
        idOffsets: offsetsOf(ids),
        ids: Buffer.concat(ids),
        versions: Float64Array.from(page.items, ({ version }) => version),
        metadataOffsets: offsetsOf(texts),
        metadata: Buffer.concat(texts),
        vectors,
      },
      0,
    ).message;
  } while (after !== undefined);
  yield encoder.footer;
}

export interface ImportReport {
  /** Rows read. */
  rows: number;
  stored: number;
  /** The first hundred rows that were not. */
  refused: Exclude<UpsertResult, { status: 'stored' }>[];
}

/**
 * Upserts the rows of an Arrow IPC stream or file with the columns id (utf8), vector (list of float32) and, optionally, metadata (utf8,
 * JSON); others are ignored. A bad row does not stop the rest. Throws `invalid-arrow` where the stream or its columns are
 * not as expected, `batch-too-large` at a record batch of more than `maxArrowBatchBytes`; rows before that are stored, and a second run
 * stores them again.
 */
export async function importArrow(
  collection: Collection,
  source: AsyncIterable<Uint8Array>,
): Promise<ImportReport> {
  const report: ImportReport = { rows: 0, stored: 0, refused: [] };
  const flush = async (items: Item[]) => {
    if (items.length === 0) return;
    const { results } = await collection.upsert(items);
    for (const result of results) {
      if (result.status === 'stored') report.stored++;
      else if (report.refused.length < 100) report.refused.push(result);
    }
    report.rows += items.length;
  };
  for await (const batch of batchesOf(source)) {
    for (let at = 0; at < batch.numRows; at += rowsAtOnce)
      await flush(itemsOf(batch.slice(at, at + rowsAtOnce)));
  }
  return report;
}

async function* batchesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<RecordBatch> {
  const { RecordBatchReader } = await import('apache-arrow');
  try {
    const reader = await RecordBatchReader.from(arrowStream(source));
    await reader.open();
    // Of nothing, or of a few bytes of anything, it makes a stream without rows.
    if (!reader.schema) throw invalidArrow('expected a stream or file, which begins with its columns');
    yield* reader;
  } catch (cause) {
    if (cause instanceof LookalikeError) throw cause;
    throw invalidArrow(`the stream cannot be read: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

function itemsOf(batch: RecordBatch): Item[] {
  const ids = batch.getChild('id');
  const vectors = batch.getChild('vector');
  const texts = batch.getChild('metadata');
  if (ids === null || vectors === null) {
    const names = batch.schema.fields.map(({ name }) => name).join(', ');
    throw invalidArrow(`expected the columns id and vector, got ${names || 'none'}`);
  }
  return Array.from({ length: batch.numRows }, (_, row): Item => {
    const values: unknown = vectors.get(row)?.toArray?.();
    return {
      id: ids.get(row) as string,
      // Other numbers are rounded; a length that is wrong is for the collection to refuse.
      vector:
        values instanceof Float32Array
          ? values.slice()
          : Float32Array.from((values ?? []) as ArrayLike<number>),
      ...(texts !== null && { metadata: parseMetadata(texts.get(row)) }),
    };
  });
}

/** Text that is no JSON object is refused later, as metadata that is none. */
function parseMetadata(text: unknown): Metadata {
  if (text === null || text === undefined) return {};
  try {
    return JSON.parse(String(text)) as Metadata;
  } catch {
    return String(text) as unknown as Metadata;
  }
}

function offsetsOf(parts: readonly Uint8Array[]): Int32Array {
  const offsets = new Int32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = (offsets[i] as number) + part.length;
  return offsets;
}

function invalidArrow(problem: string, cause?: unknown): LookalikeError {
  return new LookalikeError('invalid-arrow', `Arrow data: ${problem}`, { cause });
}
