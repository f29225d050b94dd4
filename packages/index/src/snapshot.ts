import { LookalikeError, listPages, type ObjectStore } from '@lookalike/store';
import type { SnapshotInfo } from './administration.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { CollectionReader, type StateSource } from './collection-reader.ts';
import type { Collection, DeleteResult, WriteResult } from './engine.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import type { HeadState, LiveSegment } from './head-state.ts';
import { LiveHash } from './live-hash.ts';
import { snapshotKey, snapshotsPrefix } from './log-keys.ts';
import { type Meter, newMeter } from './meter.ts';
import { appendPacked, packedArrays, packTail, unpackArrays } from './packed-rows.ts';
import { openSegments } from './segment.ts';
import type { SegmentSpace } from './segment-place.ts';
import { Tail } from './tail.ts';

/**
 * A state in one object: a frame (see frame.ts) whose payload is the rows that are in no segment (see packed-rows.ts), then its
 * checkpoint. Segments are named, not copied: garbage collection keeps what any snapshot names.
 */
export function encodeSnapshot(state: HeadState): Uint8Array {
  const rows = packTail(state);
  return encodeFrame({ format: 1, kind: 'snapshot', at: new Date().toISOString(), tailRows: rows.count }, [
    ...packedArrays(rows),
    encodeCheckpoint(state),
  ]);
}

function decodeSnapshot(key: string, stored: Uint8Array) {
  const { header, payload } = decodeFrame(key, stored);
  if (header.format !== 1 || header.kind !== 'snapshot')
    throw new LookalikeError(
      'unknown-format',
      `${key} has format ${header.format} and kind ${header.kind}: it needs a newer Lookalike`,
      { details: { key } },
    );
  return { header: header as { at: string; tailRows: number }, payload };
}

/** The checkpoint of a snapshot, without its rows. */
export function snapshotCheckpoint(key: string, stored: Uint8Array): Checkpoint {
  const { header, payload } = decodeSnapshot(key, stored);
  return decodeCheckpoint(key, unpackArrays(payload, header.tailRows).rest);
}

/** All snapshots of a collection, by name. */
export async function listSnapshots(store: ObjectStore, collection: string): Promise<SnapshotInfo[]> {
  const found: SnapshotInfo[] = [];
  const prefix = snapshotsPrefix(collection);
  for await (const page of listPages(store, prefix))
    for (const { key, size, lastModified } of page)
      found.push({ name: key.slice(prefix.length), bytes: size, createdAt: lastModified });
  return found;
}

/** The state of a snapshot: it never changes. */
export async function openSnapshot(
  space: SegmentSpace,
  collection: string,
  name: string,
  known: readonly LiveSegment[],
): Promise<StateSource> {
  const key = snapshotKey(collection, name);
  const found = await space.store.get(key);
  if (found === undefined)
    throw new LookalikeError('unknown-snapshot', `collection ${collection} has no snapshot ${name}`);
  const { header, payload } = decodeSnapshot(key, found.body);
  const { rows, rest } = unpackArrays(payload, header.tailRows);
  const { info, version, incarnation, indexedVersion, items, liveHash, segments } = decodeCheckpoint(
    key,
    rest,
  );
  const opened = await openSegments(
    segments.map(({ descriptor }) => descriptor),
    { space, info, known },
    newMeter(),
  );
  const tail = new Tail(info);
  appendPacked(tail, rows);
  const state: HeadState = {
    version,
    incarnation,
    info,
    indexedVersion,
    lastWrite: version,
    items,
    liveHash: LiveHash.parse(liveHash),
    tail,
    segments: segments.map(({ dead, deadCount }, i) => ({
      segment: opened[i] as LiveSegment['segment'],
      dead,
      deadCount,
    })),
  };
  return { state, age: 0, refresh: async (): Promise<Meter> => newMeter() };
}

/** A snapshot as a collection that nobody can write to. */
export class SnapshotCollection extends CollectionReader implements Collection {
  async upsert(): Promise<WriteResult> {
    throw readOnly(this.info.name);
  }

  async delete(): Promise<DeleteResult> {
    throw readOnly(this.info.name);
  }
}

function readOnly(collection: string): LookalikeError {
  return new LookalikeError('read-only', `a snapshot of collection ${collection} cannot be written to`);
}
