import { LookalikeError } from '@lookalike/store';
import { AnswerTraffic } from './answer-traffic.ts';
import type { CollectionInfo } from './engine.ts';
import { SegmentKeys } from './keys-file.ts';
import type { Meter } from './meter.ts';
import { fetchObject, isDamage } from './object-fetch.ts';
import { inParallel } from './parallel.ts';
import { ResidentVectors } from './resident-vectors.ts';
import { SegmentCodes } from './segment-codes.ts';
import type { SegmentDescriptor } from './segment-descriptor.ts';
import { SegmentGraph } from './segment-graph.ts';
import { SegmentPlace, type SegmentSpace } from './segment-place.ts';
import { rebuildKeys } from './segment-repair.ts';
import { SegmentRows } from './segment-rows.ts';

/** An immutable segment: its keys in memory, all else loaded when it is needed and let go when memory is short. */
export class Segment {
  readonly descriptor: SegmentDescriptor;
  readonly place: SegmentPlace;
  readonly keys: SegmentKeys;
  readonly content: SegmentRows;
  readonly codes: SegmentCodes;
  readonly graph: SegmentGraph;
  readonly resident: ResidentVectors;
  readonly traffic = new AnswerTraffic();

  private constructor(place: SegmentPlace, keys: SegmentKeys) {
    const { traffic } = this;
    this.descriptor = place.descriptor;
    this.place = place;
    this.keys = keys;
    this.content = new SegmentRows(place, keys, traffic, (row) => this.codes.check(row));
    this.codes = new SegmentCodes(place, this.content, traffic);
    this.graph = new SegmentGraph(place, traffic);
    this.resident = new ResidentVectors(place, this.content, traffic);
  }

  /** Reads the keys; where they are damaged or missing, makes them from the rows. */
  static async open(place: SegmentPlace, meter: Meter): Promise<Segment> {
    const { descriptor, space } = place;
    const key = place.key('keys');
    let keys: SegmentKeys;
    try {
      keys = SegmentKeys.decode(key, await fetchObject(space.store, key, descriptor.files.keys, meter));
    } catch (error) {
      if (!isDamage(error)) throw error;
      keys = await rebuildKeys(space.store, place.key('rows'), descriptor, meter);
    }
    if (keys.count !== descriptor.rows)
      throw new LookalikeError('damaged-object', `${key}: ${keys.count} rows, expected ${descriptor.rows}`, {
        details: { key },
      });
    return new Segment(place, keys);
  }

  get rows(): number {
    return this.descriptor.rows;
  }

  /** Resolves when all that makes searches fast is in memory, as far as it fits. */
  async warm(): Promise<void> {
    await this.graph.load();
    await this.resident.load();
  }

  /** Lets go of all but the keys. */
  release(): void {
    this.codes.release();
    this.graph.release();
    this.resident.release();
    this.content.release();
  }
}

/** Segments by their descriptors, a few at a time; those that are open already stay so. */
export async function openSegments(
  descriptors: readonly SegmentDescriptor[],
  {
    space,
    info,
    known,
  }: { space: SegmentSpace; info: CollectionInfo; known: readonly { segment: Segment }[] },
  meter: Meter,
): Promise<Segment[]> {
  const open = new Map(known.map(({ segment }) => [segment.descriptor.id, segment]));
  const opened: Segment[] = [];
  await inParallel([...descriptors.entries()], 8, async ([i, descriptor]) => {
    opened[i] =
      open.get(descriptor.id) ?? (await Segment.open(new SegmentPlace(descriptor, info, space), meter));
  });
  return opened;
}
