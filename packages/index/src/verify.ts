import { LookalikeError, listPages } from '@lookalike/store';
import type { DamagedObject, VerifyReport } from './administration.ts';
import { hasBit } from './bits.ts';
import { decodeCheckpoint, listCheckpoints } from './checkpoint.ts';
import { decodeCommit } from './commit.ts';
import { Head } from './head.ts';
import { LiveHash } from './live-hash.ts';
import { logPrefix, segmentKey, snapshotKey } from './log-keys.ts';
import { newMeter } from './meter.ts';
import { fetchObject, isDamage } from './object-fetch.ts';
import { type SegmentDescriptor, segmentFileKinds, segmentFileNames } from './segment-descriptor.ts';
import type { SegmentSpace } from './segment-place.ts';
import { listSnapshots, snapshotCheckpoint } from './snapshot.ts';

/**
 * Reads every object of a collection and checks it; counts the live items from the objects and compares their hash with
 * what the fold of the log says.
 */
export async function verifyCollection(space: SegmentSpace, name: string): Promise<VerifyReport> {
  const { store } = space;
  const report: VerifyReport = { version: 0, objects: 0, bytes: 0, items: 0, damaged: [] };
  const check = async (key: string, repairable: boolean, read: () => Promise<number>) => {
    report.objects++;
    try {
      report.bytes += await read();
    } catch (error) {
      if (!(error instanceof LookalikeError)) throw error;
      report.damaged.push({ key, problem: error.message, repairable } satisfies DamagedObject);
    }
  };
  const readWhole = async (key: string): Promise<Uint8Array> => {
    const found = await store.get(key);
    if (found === undefined) throw new LookalikeError('missing-object', `${key} is missing`);
    return found.body;
  };

  // Not the engine's own: what is in memory would hide what is damaged in the store.
  const head = new Head(space, name, { grace: Number.MAX_SAFE_INTEGER, now: () => 0 });
  try {
    await head.refresh();
  } catch (error) {
    if (!isDamage(error)) throw error;
    const { message: problem, details } = error as LookalikeError;
    report.damaged.push({ key: String(details.key), problem, repairable: false });
  }
  const { state } = head;
  report.version = state.version;

  for (const { key } of await listCheckpoints(store, name, newMeter()))
    await check(key, true, async () => {
      const bytes = await readWhole(key);
      decodeCheckpoint(key, bytes);
      return bytes.length;
    });
  for await (const page of listPages(store, logPrefix(name)))
    for (const { key } of page)
      await check(key, false, async () => {
        const bytes = await readWhole(key);
        decodeCommit(key, bytes);
        return bytes.length;
      });
  const checked = new Set<string>();
  const checkSegment = async (id: string, files: SegmentDescriptor['files']) => {
    if (checked.has(id)) return;
    checked.add(id);
    for (const kind of segmentFileKinds) {
      const file = files[kind];
      if (file === undefined) continue;
      const key = segmentKey(name, id, segmentFileNames[kind]);
      await check(key, kind !== 'rows', async () => {
        await fetchObject(store, key, file, newMeter());
        return file.length;
      });
    }
  };
  for (const { segment } of state.segments)
    await checkSegment(segment.descriptor.id, segment.descriptor.files);
  for (const snapshot of await listSnapshots(store, name)) {
    const key = snapshotKey(name, snapshot.name);
    const named: SegmentDescriptor[] = [];
    await check(key, false, async () => {
      const bytes = await readWhole(key);
      named.push(...snapshotCheckpoint(key, bytes).segments.map(({ descriptor }) => descriptor));
      return bytes.length;
    });
    for (const { id, files } of named) await checkSegment(id, files);
  }

  const hash = new LiveHash();
  for (const { segment, dead } of state.segments)
    for (let row = 0; row < segment.rows; row++)
      if (!hasBit(dead, row)) {
        hash.add(segment.keys.id(row), segment.keys.versions[row] as number);
        report.items++;
      }
  for (const [id, row] of state.tail.live) {
    hash.add(id, state.tail.versions[row] as number);
    report.items++;
  }
  if (hash.toString() !== state.liveHash.toString() || report.items !== state.items)
    report.damaged.push({
      key: name,
      problem: `${report.items} live items with hash ${hash}, but the log says ${state.items} with hash ${state.liveHash}`,
      repairable: false,
    });
  return report;
}
