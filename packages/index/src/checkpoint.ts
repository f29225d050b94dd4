import { LookalikeError, listPages, type ObjectInfo, type ObjectStore } from '@lookalike/store';
import type { CollectionInfo } from './engine.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import type { HeadState } from './head-state.ts';
import { checkpointKey, checkpointPrefix, keyVersion } from './log-keys.ts';
import type { Meter } from './meter.ts';
import type { SegmentDescriptor } from './segment-descriptor.ts';

/**
 * The folded state after commit `version`, so that a reader replays only the writes after `indexedVersion`, whose rows
 * it does not hold. A frame (see frame.ts); the payload is the dead rows of the segments, a bit a row.
 */
export interface Checkpoint {
  version: number;
  incarnation: number;
  info: CollectionInfo;
  indexedVersion: number;
  segments: { descriptor: SegmentDescriptor; dead: Uint8Array; deadCount: number }[];
  items: number;
  /** Of the live ids and versions: see live-hash.ts. */
  liveHash: string;
}

export function encodeCheckpoint(state: HeadState): Uint8Array {
  const { version, incarnation, info, indexedVersion, items } = state;
  return encodeFrame(
    {
      format: 1,
      kind: 'checkpoint',
      at: new Date().toISOString(),
      version,
      incarnation,
      info,
      indexedVersion,
      items,
      liveHash: state.liveHash.toString(),
      segments: state.segments.map(({ segment, deadCount }) => ({
        descriptor: segment.descriptor,
        deadCount,
      })),
    },
    state.segments.map(({ dead }) => dead),
  );
}

export function decodeCheckpoint(key: string, stored: Uint8Array): Checkpoint {
  const { header, payload } = decodeFrame(key, stored);
  if (header.format !== 1 || header.kind !== 'checkpoint')
    throw new LookalikeError(
      'unknown-format',
      `${key} has format ${header.format}: it needs a newer Lookalike`,
      {
        details: { key },
      },
    );
  const checkpoint = header as unknown as Checkpoint;
  let at = 0;
  for (const segment of checkpoint.segments) {
    const length = Math.ceil(segment.descriptor.rows / 8);
    segment.dead = payload.slice(at, at + length);
    at += length;
  }
  return checkpoint;
}

/** Durable when it returns. One that exists already says the same, so that a create that failed may be made again. */
export async function writeCheckpoint(store: ObjectStore, state: HeadState): Promise<void> {
  const key = checkpointKey(state.info.name, state.version);
  const bytes = encodeCheckpoint(state);
  for (let attempt = 1; ; attempt++) {
    try {
      await store.put(key, bytes, { ifAbsent: true });
      return;
    } catch (error) {
      if (error instanceof LookalikeError && error.code === 'object-exists') return;
      if (attempt === 3) throw error;
    }
  }
}

/** The newest there is, as it is read at once; throws where it is damaged. */
export async function newestCheckpoint(
  store: ObjectStore,
  collection: string,
  meter: Meter,
): Promise<Checkpoint | undefined> {
  const newest = (await listCheckpoints(store, collection, meter)).at(-1);
  const found = newest && (await store.get(newest.key));
  return newest && found && decodeCheckpoint(newest.key, found.body);
}

/** All there are, oldest first. */
export async function listCheckpoints(
  store: ObjectStore,
  collection: string,
  meter: Meter,
): Promise<(ObjectInfo & { version: number })[]> {
  const found: (ObjectInfo & { version: number })[] = [];
  for await (const page of listPages(store, checkpointPrefix(collection))) {
    meter.requests++;
    found.push(...page.map((object) => ({ ...object, version: keyVersion(object.key) })));
  }
  return found;
}
