import { type Encoders, isServerFailure } from '@lookalike/api';
import type { Collection, Item, SearchEngine, StoredItem } from '@lookalike/index';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { mapConcurrently } from './map-concurrently.ts';
import { buildItems } from './picture-items.ts';
import type { PicturePlace } from './picture-key.ts';
import type { PictureSource } from './picture-source.ts';
import {
  currentVersions,
  isCurrent,
  type PictureReading,
  readPicture,
  type SeenVersions,
  sameVersions,
} from './read-picture.ts';

export interface IngestServices {
  engine: SearchEngine;
  /** Of the engine. */
  objects: ObjectStore;
  encoders: Encoders;
}

export type Outcome =
  /** The row is now what the picture is; there was none. */
  | { status: 'stored' }
  /** The same, in place of one of an earlier version of the picture or what is said of it. */
  | { status: 'replaced' }
  /** It was so already. */
  | { status: 'current' }
  /** There is no picture, and now no row. */
  | { status: 'deleted' }
  /** Trying again would fail again. There is no row: the one of an earlier, good picture is deleted. */
  | { status: 'refused'; error: { code: string; message: string }; etag?: string }
  /** Trying again may work. */
  | { status: 'failed'; error: unknown };

/** A picture may change while it is worked on, that often before it is left to the next try. */
const rounds = 3;
const requestsAtOnce = 16;
const readsAtOnce = 4;
/** Read pictures are in memory together until their commit. What is beyond either bound waits for the next portion. */
const portion = { bytes: 128 * 1024 * 1024, pictures: 25 };

/** What is to become of the row of one place. */
interface Step {
  place: PicturePlace;
  row: StoredItem | undefined;
  seen: SeenVersions;
  item?: Item;
  outcome: Outcome;
}

/**
 * Makes rows be what the pictures in `source` are now, whatever happened to them: stored, replaced, deleted, in whatever order
 * and however often it was told. After writing, every picture is looked at again, so that of several workers on one picture the
 * last to write leaves what is true. One commit a collection.
 *
 * Many or large pictures are done in portions with a commit each, so that memory is bounded and what is done stays done.
 *
 * A collection that does not exist is made, bound to the default model, where there is a picture to put in it. No place may be
 * given twice.
 */
export async function reconcilePictures(
  services: IngestServices,
  source: PictureSource,
  places: readonly PicturePlace[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes = new Map<PicturePlace, Outcome>();
  const byCollection = Map.groupBy(places, ({ collection }) => collection);
  for (const [name, ofCollection] of byCollection) {
    let open: readonly PicturePlace[] = ofCollection;
    const changes = new Map<PicturePlace, number>();
    try {
      const collection = await openCollection(services, source, name, ofCollection);
      if (collection === undefined) {
        for (const place of ofCollection) outcomes.set(place, { status: 'deleted' });
        continue;
      }
      while (open.length > 0) {
        signal.throwIfAborted();
        const { steps, left } = await prepare(services, source, collection, open, signal);
        await apply(collection, steps);
        for (const { place, outcome } of steps) outcomes.set(place, outcome);
        const changed = await changedMeanwhile(source, steps);
        for (const place of changed) changes.set(place, (changes.get(place) ?? 0) + 1);
        const restless = changed.filter((place) => changes.get(place) === rounds);
        for (const place of restless) {
          const error = new Error(`${place.key} changed ${rounds} times while it was ingested into ${name}`);
          outcomes.set(place, { status: 'failed', error });
        }
        open = [...left, ...changed.filter((place) => !restless.includes(place))];
      }
    } catch (error) {
      for (const place of open) outcomes.set(place, failureOf(error));
    }
  }
  return places.map((place) => outcomes.get(place) as Outcome);
}

/** `undefined` where there is none and no picture either: the last word of a dropped collection is not to make it again. */
async function openCollection(
  { engine, encoders }: IngestServices,
  source: PictureSource,
  name: string,
  places: readonly PicturePlace[],
): Promise<Collection | undefined> {
  try {
    return await engine.collection(name);
  } catch (error) {
    if (!(error instanceof LookalikeError && error.code === 'unknown-collection')) throw error;
    const found = await mapConcurrently(places, requestsAtOnce, ({ key }) => source.version(key));
    if (found.every((version) => version === undefined)) return undefined;
    const { model, hash } = await encoders.get(encoders.default);
    await engine.createCollection(name, {
      dimension: model.output.dimension,
      metric: model.metric,
      encoder: { name: model.name, hash },
    });
    return engine.collection(name);
  }
}

/** What is to become of the places, and those that are left for the next portion. */
async function prepare(
  services: IngestServices,
  source: PictureSource,
  collection: Collection,
  places: readonly PicturePlace[],
  signal: AbortSignal,
): Promise<{ steps: Step[]; left: PicturePlace[] }> {
  const rows = await collection.get(places.map(({ id }) => id));
  const all = places.map(
    (place, index): Step => ({ place, row: rows[index], seen: {}, outcome: { status: 'current' } }),
  );
  const attempt = async (step: Step, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      step.outcome = failureOf(error, step.seen.picture);
    }
  };
  const fresh: Step[] = [];
  await mapConcurrently(all, requestsAtOnce, (step) =>
    attempt(step, async () => {
      if (!(await isCurrent(source, step.place, step.row, step.seen))) fresh.push(step);
    }),
  );
  const readings: PictureReading[] = [];
  const left = new Set<Step>();
  let bytes = 0;
  await mapConcurrently(fresh, readsAtOnce, async (step) => {
    if (bytes >= portion.bytes || readings.length >= portion.pictures) {
      left.add(step);
      return;
    }
    await attempt(step, async () => {
      const found = await readPicture(source, step.place, step.row, step.seen);
      if (found === 'gone') step.outcome = { status: 'deleted' };
      else {
        readings.push(found);
        bytes += found.picture.bytes.length;
      }
    });
  });
  const steps = all.filter((step) => !left.has(step));
  const byPlace = new Map(steps.map((step) => [step.place, step]));
  for (const built of await buildItems(services, source.bucket, collection, readings, signal)) {
    const step = byPlace.get(built.place) as Step;
    if ('item' in built) step.item = built.item;
    else step.outcome = { status: 'refused', error: built.error, ...etagOf(step) };
  }
  return { steps, left: [...left].map(({ place }) => place) };
}

async function apply(collection: Collection, steps: readonly Step[]): Promise<void> {
  const ready = steps.filter(({ item }) => item !== undefined);
  if (ready.length > 0) {
    const { results } = await collection.upsert(ready.map(({ item }) => item as Item));
    for (const [index, step] of ready.entries()) {
      const result = results[index];
      if (result?.status === 'stored') step.outcome = { status: step.row ? 'replaced' : 'stored' };
      else if (result?.status === 'invalid')
        step.outcome = { status: 'refused', error: result.error, ...etagOf(step) };
      else
        step.outcome = {
          status: 'failed',
          error: new Error(`unexpected result of ${step.place.id}: ${result?.status}`),
        };
    }
  }
  const rowless = (status: Outcome['status']) => status === 'deleted' || status === 'refused';
  const stale = steps.filter(({ row, outcome }) => row !== undefined && rowless(outcome.status));
  if (stale.length > 0) await collection.delete({ ids: stale.map(({ place }) => place.id) });
}

async function changedMeanwhile(source: PictureSource, steps: readonly Step[]): Promise<PicturePlace[]> {
  const changed = await mapConcurrently(
    steps,
    requestsAtOnce,
    async ({ place, seen, outcome }) =>
      outcome.status !== 'failed' && !sameVersions(await currentVersions(source, place), seen),
  );
  return steps.filter((_, index) => changed[index]).map(({ place }) => place);
}

function etagOf({ seen }: Step): { etag?: string } {
  return seen.picture === undefined ? {} : { etag: seen.picture };
}

function failureOf(error: unknown, etag?: string): Outcome {
  const isOurs =
    error instanceof LookalikeError && (error.code === 'picture-archived' || !isServerFailure(error));
  if (!isOurs) return { status: 'failed', error };
  const { code, message } = error;
  return { status: 'refused', error: { code, message }, ...(etag === undefined ? {} : { etag }) };
}
