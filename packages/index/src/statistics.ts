import { listPages, type ObjectStore } from '@lookalike/store';
import type { CollectionStats } from './engine.ts';
import type { HeadState } from './head-state.ts';
import { logPrefix } from './log-keys.ts';

/** Counts what a state holds; lists the log for its bytes. */
export async function describeState(state: HeadState, store: ObjectStore): Promise<CollectionStats> {
  const { tail, version, segments, items, info, indexedVersion, lastWrite } = state;
  const bytes = { rows: 0, codes: 0, graphs: 0, log: 0 };
  let deletedRows = tail.count - tail.live.size;
  for (const { segment, deadCount } of segments) {
    const { rows, keys, codes, coarse, graph } = segment.descriptor.files;
    bytes.rows += rows.length;
    bytes.codes += keys.length + codes.length + (coarse?.length ?? 0);
    bytes.graphs += graph?.length ?? 0;
    deletedRows += deadCount;
  }
  for await (const page of listPages(store, logPrefix(info.name)))
    for (const object of page) bytes.log += object.size;
  return {
    version,
    items,
    segments: segments.length,
    tailRows: tail.live.size,
    tailCommits: Math.max(0, lastWrite - indexedVersion),
    deletedRows,
    bytes,
  };
}
