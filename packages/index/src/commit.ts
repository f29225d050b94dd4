import { LookalikeError } from '@lookalike/store';
import type { CollectionInfo } from './engine.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import type { SegmentDescriptor } from './segment-descriptor.ts';

/** At most one upsert or delete an id. */
export interface WriteBatch {
  ids: string[];
  /** `ids.length` x dimension. */
  vectors: Float32Array;
  /** JSON text, one an id. */
  metadata: string[];
  deletes: string[];
}

export type CommitBody =
  | { kind: 'create'; info: CollectionInfo }
  | { kind: 'drop' }
  | { kind: 'write'; batch: WriteBatch }
  | {
      kind: 'segments';
      add: SegmentDescriptor[];
      /** Segment ids. */
      remove: string[];
      /** Every row written up to this version is in a segment (or dead). Never falls. */
      indexedVersion: number;
    };

export type Commit = CommitBody & {
  /** Random: tells its author, after a lost answer, whether the stored commit is its own. */
  id: string;
};

const formatVersion = 1;

/**
 * A commit as a frame (see frame.ts). The payload of a write, n upserts and d deletes of dimension D:
 * vectors n x D float32; byte lengths of n + d ids, uint32; of n metadata, uint32; ids, UTF-8; metadata, UTF-8.
 */
export function encodeCommit(commit: Commit): Uint8Array {
  const at = new Date().toISOString();
  if (commit.kind !== 'write') return encodeFrame({ format: formatVersion, at, ...commit });
  const { ids, vectors, metadata, deletes } = commit.batch;
  const names = [...ids, ...deletes].map((id) => Buffer.from(id));
  const texts = metadata.map((text) => Buffer.from(text));
  const lengths = Uint32Array.from([...names, ...texts], (part) => part.length);
  return encodeFrame(
    {
      format: formatVersion,
      at,
      kind: 'write',
      id: commit.id,
      upserts: ids.length,
      deletes: deletes.length,
      dimension: ids.length === 0 ? 0 : vectors.length / ids.length,
    },
    [asBytes(vectors), asBytes(lengths), Buffer.concat(names), Buffer.concat(texts)],
  );
}

/** Throws `damaged-object` or, of a newer Lookalike, `unknown-format`, naming `key`. */
export function decodeCommit(key: string, stored: Uint8Array): Commit {
  const { header, payload } = decodeFrame(key, stored);
  const { format, at: _, ...commit } = header;
  const known = ['create', 'drop', 'write', 'segments'];
  if (format !== formatVersion || !known.includes(String(header.kind)))
    throw new LookalikeError(
      'unknown-format',
      `${key} has format ${format} and kind ${header.kind}: it needs a newer Lookalike`,
      { details: { key } },
    );
  if (header.kind !== 'write') return commit as unknown as Commit;
  const { upserts, deletes, dimension } = header as { upserts: number; deletes: number; dimension: number };
  const vectors = new Float32Array(payload.buffer, payload.byteOffset, upserts * dimension);
  const lengths = new Uint32Array(
    payload.buffer,
    payload.byteOffset + vectors.byteLength,
    2 * upserts + deletes,
  );
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  let offset = vectors.byteLength + lengths.byteLength;
  const parts = Array.from(lengths, (length) => {
    const start = offset;
    offset += length;
    return text.toString('utf8', start, offset);
  });
  return {
    kind: 'write',
    id: String(header.id),
    batch: {
      ids: parts.slice(0, upserts),
      vectors,
      deletes: parts.slice(upserts, upserts + deletes),
      metadata: parts.slice(upserts + deletes),
    },
  };
}

function asBytes(array: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
