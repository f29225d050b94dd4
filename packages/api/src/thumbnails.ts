import type { Collection } from '@lookalike/index';
import { listPages, type ObjectStore } from '@lookalike/store';
import { keptPicture } from './kept-picture.ts';

/** The longer side of a thumbnail, pixels. */
export const THUMBNAIL_SIZE = 256;
/** Milliseconds for which a thumbnail that nothing refers to is left alone: its item may not be committed yet. */
const defaultGrace = 24 * 60 * 60 * 1000;

function prefixOf(collection: string): string {
  return `collections/${collection}/thumbnails/`;
}

function keyOf(collection: string, sha256: string): string {
  return `${prefixOf(collection)}${sha256}.webp`;
}

/**
 * Stores the WebP thumbnail of a picture under the hash of the picture, so that equal pictures share one. Written also where it is there
 * already: that makes it new, and safe from a sweep under way.
 */
export async function storeThumbnail(
  objects: ObjectStore,
  collection: string,
  picture: { sha256: string; thumbnail: Uint8Array },
): Promise<void> {
  await objects.put(keyOf(collection, picture.sha256), picture.thumbnail);
}

/** The WebP file; `undefined` where there is none. */
export async function readThumbnail(
  objects: ObjectStore,
  collection: string,
  sha256: string,
): Promise<Uint8Array | undefined> {
  return (await objects.get(keyOf(collection, sha256)))?.body;
}

/** The bytes of deleted and replaced pictures: removes the thumbnails that no item refers to. Reads every item once. */
export async function sweepThumbnails(
  collection: Collection,
  objects: ObjectStore,
  options: { grace?: number } = {},
): Promise<{ deleted: number }> {
  const { name } = collection.info;
  const oldest = Date.now() - (options.grace ?? defaultGrace);
  const needed = new Set<string>();
  let after: string | undefined;
  do {
    const page = await collection.scan({ limit: 1000, ...(after === undefined ? {} : { after }) });
    for (const { metadata } of page.items) {
      const { sha256 } = keptPicture(metadata);
      if (sha256 !== undefined) needed.add(keyOf(name, sha256));
    }
    after = page.next;
  } while (after !== undefined);
  return {
    deleted: await deleteUnder(
      objects,
      prefixOf(name),
      ({ key, lastModified }) => !needed.has(key) && lastModified.getTime() <= oldest,
    ),
  };
}

/** Deletes the objects under a prefix that are doomed, and says how many. */
export async function deleteUnder(
  objects: ObjectStore,
  prefix: string,
  isDoomed: (object: { key: string; lastModified: Date }) => boolean,
): Promise<number> {
  let deleted = 0;
  for await (const page of listPages(objects, prefix)) {
    const doomed = page.filter(isDoomed).map(({ key }) => key);
    if (doomed.length > 0) await objects.delete(doomed);
    deleted += doomed.length;
  }
  return deleted;
}
