import { type Bits, countBits, emptyBits, hasBit, rowsOf, setBit } from './bits.ts';
import type { WriteBatch } from './commit.ts';
import type { CollectionInfo } from './engine.ts';
import { LiveHash } from './live-hash.ts';
import type { Segment } from './segment.ts';
import { Tail } from './tail.ts';

/** A segment and those of its rows that were deleted or replaced. */
export interface LiveSegment {
  readonly segment: Segment;
  /** Never changed in place: readers of older states hold it. */
  readonly dead: Bits;
  readonly deadCount: number;
}

/**
 * What the log says, folded up to `version`. A state is a snapshot: later commits make new ones, but for the tail, which
 * only grows and tells versions apart.
 */
export interface HeadState {
  readonly version: number;
  /** The commit that created the collection as it stands; 0 where there is none. */
  readonly incarnation: number;
  readonly info: CollectionInfo;
  readonly segments: readonly LiveSegment[];
  /** Rows written up to this version are in segments, later ones in the tail. */
  readonly indexedVersion: number;
  /** The last commit that wrote or deleted items. */
  readonly lastWrite: number;
  readonly tail: Tail;
  /** Live items. */
  readonly items: number;
  readonly liveHash: LiveHash;
}

export function emptyState(name: string, version: number): HeadState {
  const info: CollectionInfo = { name, dimension: 1, metric: 'l2', hnsw: { m: 16, efConstruction: 200 } };
  return createdState(info, version, 0);
}

export function createdState(info: CollectionInfo, version: number, incarnation: number): HeadState {
  return {
    version,
    incarnation,
    info,
    segments: [],
    indexedVersion: version,
    lastWrite: version,
    tail: new Tail(info),
    items: 0,
    liveHash: new LiveHash(),
  };
}

/** The state after a write commit. */
export function foldWrite(state: HeadState, version: number, batch: WriteBatch): HeadState {
  const { tail } = state;
  const liveHash = state.liveHash.copy();
  const segments = [...state.segments];
  const copied = new Set<number>();
  let items = state.items;

  const kill = (id: string) => {
    let killed = tail.kill(id, version);
    for (let i = 0; killed === undefined && i < segments.length; i++) {
      const live = segments[i] as LiveSegment;
      const row = live.segment.keys.find(id);
      if (row < 0 || hasBit(live.dead, row)) continue;
      const dead = copied.has(i) ? live.dead : live.dead.slice();
      copied.add(i);
      setBit(dead, row);
      segments[i] = { segment: live.segment, dead, deadCount: live.deadCount + 1 };
      killed = live.segment.keys.versions[row] as number;
    }
    if (killed === undefined) return;
    liveHash.remove(id, killed);
    items--;
  };

  for (const id of batch.deletes) kill(id);
  for (const id of batch.ids) kill(id);
  appendRows(tail, version, batch);
  for (const id of batch.ids) liveHash.add(id, version);
  items += batch.ids.length;
  return { ...state, version, lastWrite: version, segments, items, liveHash };
}

/** A write whose effect on segments and counts is known already: only the tail has to be made again. */
export function replayWrite(tail: Tail, version: number, batch: WriteBatch): void {
  for (const id of batch.deletes) tail.kill(id, version);
  for (const id of batch.ids) tail.kill(id, version);
  appendRows(tail, version, batch);
}

function appendRows(tail: Tail, version: number, { ids, vectors, metadata }: WriteBatch): void {
  for (const [i, id] of ids.entries())
    tail.append(version, id, vectors, i * tail.dimension, metadata[i] as string);
}

/**
 * The state after a segments commit. The same rows stand elsewhere, so what has died since they were copied is dead
 * there too: rows of removed segments, and of the tail up to `indexedVersion`, by id and version.
 */
export function foldSegments(
  state: HeadState,
  version: number,
  change: { added: readonly Segment[]; remove: readonly string[]; indexedVersion: number },
): HeadState {
  const removed = new Set(change.remove);
  const added = change.added.map((segment) => ({ segment, dead: emptyBits(segment.rows) }));
  const killMoved = (id: string, rowVersion: number) => {
    for (const { segment, dead } of added) {
      const row = segment.keys.find(id);
      if (row >= 0 && segment.keys.versions[row] === rowVersion) setBit(dead, row);
    }
  };
  for (const { segment, dead } of state.segments)
    if (removed.has(segment.descriptor.id))
      for (const row of rowsOf(dead)) killMoved(segment.keys.id(row), segment.keys.versions[row] as number);
  let { tail } = state;
  if (change.indexedVersion > state.indexedVersion) {
    const rest = new Tail(state.info);
    for (let row = 0; row < tail.count; row++) {
      const id = tail.ids[row] as string;
      const rowVersion = tail.versions[row] as number;
      const died = tail.diedAt[row] !== 0;
      if (rowVersion <= change.indexedVersion) {
        if (died) killMoved(id, rowVersion);
      } else if (!died) rest.append(rowVersion, id, tail.vector(row), 0, tail.metadata[row] as string);
    }
    tail = rest;
  }
  return {
    ...state,
    version,
    tail,
    indexedVersion: change.indexedVersion,
    segments: [
      ...state.segments.filter(({ segment }) => !removed.has(segment.descriptor.id)),
      ...added.map(({ segment, dead }) => ({ segment, dead, deadCount: countBits(dead) })),
    ],
  };
}

/** Where an item lives, or undefined. */
export function locate(
  state: HeadState,
  id: string,
): { tail: Tail; row: number } | { live: LiveSegment; row: number } | undefined {
  const row = state.tail.live.get(id);
  if (row !== undefined) return { tail: state.tail, row };
  for (const live of state.segments) {
    const row = live.segment.keys.find(id);
    if (row >= 0 && !hasBit(live.dead, row)) return { live, row };
  }
  return undefined;
}
