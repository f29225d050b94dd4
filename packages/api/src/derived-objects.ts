import type { Collection, SearchEngine } from '@lookalike/index';
import type { ObjectStore } from '@lookalike/store';
import { deleteUnder, sweepThumbnails } from './thumbnails.ts';

const day = 24 * 60 * 60 * 1000;
/** Results of searches for duplicates, and what the next one goes on from, are kept this long (milliseconds). */
const jobsKept = 30 * day;

/** Of a collection that was dropped: thumbnails, results of jobs and verdicts. */
export async function deleteDerived(objects: ObjectStore, collection: string): Promise<void> {
  for (const part of ['thumbnails', 'duplicates', 'verdicts']) {
    await deleteUnder(objects, `collections/${collection}/${part}/`, () => true);
  }
}

/**
 * What the API keeps beside a collection and nothing needs any more: thumbnails that no item refers to, for `grace` milliseconds
 * (default 24 h), and searches for duplicates of 30 days ago. Verdicts stay. Reads every item once; harmless to do twice, or in two places.
 */
export async function sweepDerived(
  collection: Collection,
  objects: ObjectStore,
  options: { grace?: number } = {},
): Promise<{ deleted: number }> {
  const thumbnails = await sweepThumbnails(collection, objects, options);
  const oldest = Date.now() - jobsKept;
  const jobs = await deleteUnder(
    objects,
    `collections/${collection.info.name}/duplicates/`,
    ({ lastModified }) => lastModified.getTime() < oldest,
  );
  return { deleted: thumbnails.deleted + jobs };
}

/** `sweepDerived` of every collection. A failure at one is told and does not stop the others. */
export async function sweepEveryCollection(
  engine: SearchEngine,
  objects: ObjectStore,
  onFailure: (collection: string, error: unknown) => void,
): Promise<{ deleted: number }> {
  let deleted = 0;
  let after: string | undefined;
  do {
    const page = await engine.listCollections(after === undefined ? {} : { after });
    for (const { name, error } of page.damaged) onFailure(name, error);
    for (const { name } of page.collections) {
      try {
        deleted += (await sweepDerived(await engine.collection(name), objects)).deleted;
      } catch (error) {
        onFailure(name, error);
      }
    }
    after = page.next;
  } while (after !== undefined);
  return { deleted };
}
