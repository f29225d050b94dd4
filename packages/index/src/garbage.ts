import { listPages, type ObjectInfo, type ObjectStore } from '@lookalike/store';
import type { GarbageReport } from './administration.ts';
import { decodeCheckpoint, listCheckpoints, writeCheckpoint } from './checkpoint.ts';
import type { Head } from './head.ts';
import { checkpointPrefix, keyVersion, logPrefix, segmentsPrefix, snapshotKey } from './log-keys.ts';
import { newMeter } from './meter.ts';
import { listSnapshots, snapshotCheckpoint } from './snapshot.ts';

/**
 * Removes what no reader can need whose state was the newest at `since` (milliseconds, by the store's clock) or later.
 * The newest checkpoint older than that is the horizon: what it and all later ones name is kept, and every commit after
 * what it holds as segments; so is what snapshots name. Commits go in ascending order, so that what is left has no gaps; one is always left, so that
 * a lost checkpoint cannot make a collection look as if it had never been.
 */
export async function collectGarbage(store: ObjectStore, head: Head, since: number): Promise<GarbageReport> {
  const { name, state } = head;
  // Whoever begins to read must not come past commits that name segments which are removed here.
  if (state.version > 0) await writeCheckpoint(store, state);
  const checkpoints = await listCheckpoints(store, name, newMeter());
  const old = checkpoints.filter((checkpoint) => checkpoint.lastModified.getTime() <= since);
  const horizon = old.at(-1);
  if (horizon === undefined) return { deleted: 0 };
  const needed = new Set(state.segments.map(({ segment }) => segment.descriptor.id));
  let firstCommit = 0;
  for (const checkpoint of checkpoints) {
    if (checkpoint.version < horizon.version) continue;
    const found = await store.get(checkpoint.key);
    if (found === undefined) continue;
    // A damaged one throws: what it needs is not known, so nothing may go.
    const { segments, indexedVersion } = decodeCheckpoint(checkpoint.key, found.body);
    for (const { descriptor } of segments) needed.add(descriptor.id);
    if (checkpoint === horizon) firstCommit = Math.min(indexedVersion + 1, horizon.version);
  }
  // Read after the state: a snapshot of an older one names segments that checkpoints younger than the horizon name too.
  for (const { name: snapshot } of await listSnapshots(store, name)) {
    const key = snapshotKey(name, snapshot);
    const found = await store.get(key);
    if (found === undefined) continue;
    for (const { descriptor } of snapshotCheckpoint(key, found.body).segments) needed.add(descriptor.id);
  }
  let deleted = 0;
  const remove = async (prefix: string, unneeded: (object: ObjectInfo) => boolean) => {
    for await (const page of listPages(store, prefix)) {
      const keys = page.filter(unneeded).map((object) => object.key);
      for (const key of keys) await store.delete([key]);
      deleted += keys.length;
    }
  };
  await remove(segmentsPrefix(name), ({ key, lastModified }) => {
    const id = key.slice(segmentsPrefix(name).length).split('/', 1)[0] as string;
    return !needed.has(id) && lastModified.getTime() <= since;
  });
  await remove(checkpointPrefix(name), ({ key }) => keyVersion(key) < horizon.version);
  await remove(logPrefix(name), ({ key }) => keyVersion(key) < firstCommit);
  return { deleted };
}
