import { thumbnail } from '@lookalike/encoder';
import type { ObjectStore } from '@lookalike/store';
import { LookalikeError } from '@lookalike/store';

/** The longer side of a thumbnail, pixels. */
const thumbnailSize = 256;

function keyOf(collection: string, sha256: string): string {
  return `collections/${collection}/thumbnails/${sha256}.webp`;
}

/** Stores the WebP thumbnail of a picture under the hash of the picture, so that equal pictures share one. */
export async function storeThumbnail(
  objects: ObjectStore,
  collection: string,
  picture: { bytes: Uint8Array; sha256: string },
  signal: AbortSignal,
): Promise<void> {
  const body = await thumbnail(picture.bytes, thumbnailSize, { signal });
  try {
    await objects.put(keyOf(collection, picture.sha256), body, { ifAbsent: true });
  } catch (error) {
    if (!(error instanceof LookalikeError && error.code === 'object-exists')) throw error;
  }
}

/** The WebP file; `undefined` where there is none. */
export async function readThumbnail(
  objects: ObjectStore,
  collection: string,
  sha256: string,
): Promise<Uint8Array | undefined> {
  return (await objects.get(keyOf(collection, sha256)))?.body;
}
