import { resolve } from 'node:path';
import { LookalikeError, listPages } from '@lookalike/store';
import { counted } from './counted.ts';
import { isFolder, openBucketForReading } from './open-store.ts';
import type { PictureCache } from './picture-cache.ts';
import { contentHashOf, type FileError, readPicture, sha256 } from './picture-scan.ts';
import { hasPictureName, skippedText, walkPictures } from './walk-pictures.ts';

/** A picture to be stored, wherever it lies. */
export interface IngestSource {
  /** Its id: the path below the folder, or the key below the prefix. */
  path: string;
  /** SHA-256 (hex), without reading it where the cache knows it. */
  contentHash(): Promise<string>;
  read(): Promise<Uint8Array>;
}

export interface IngestSources {
  sources: IngestSource[];
  /** Folders that cannot be read. */
  errors: FileError[];
  /** What was left out, for the summary; may be empty. */
  skipped: string;
}

/**
 * The pictures of a folder or of `s3://bucket/prefix`, in order of their paths.
 * @throws LookalikeError `no-pictures`, `not-a-folder`, `invalid-data`.
 */
export async function ingestSources(location: string, cache: PictureCache): Promise<IngestSources> {
  if (!isFolder(location)) return bucketSources(location, cache);
  const walk = await walkPictures(resolve(location));
  return {
    sources: walk.files.map((file) => ({
      path: file.path,
      contentHash: () => contentHashOf(file, cache),
      read: () => readPicture(file.absolute),
    })),
    errors: walk.errors,
    skipped: skippedText(walk),
  };
}

async function bucketSources(location: string, cache: PictureCache): Promise<IngestSources> {
  const bucket = await openBucketForReading(location);
  const sources: IngestSource[] = [];
  let others = 0;
  for await (const page of listPages(bucket, '')) {
    for (const { key, size, lastModified } of page) {
      if (!hasPictureName(key) || key.split('/').some((part) => part.startsWith('.'))) {
        others++;
        continue;
      }
      const read = async () => {
        const found = await bucket.get(key);
        if (!found) throw new LookalikeError('unknown-object', `${key} is no longer there`);
        return found.body;
      };
      const address = `${location.replace(/\/$/, '')}/${key}`;
      const stamp = { size, modified: lastModified.getTime() };
      sources.push({
        path: key,
        read,
        async contentHash() {
          const known = cache.contentHash(address, stamp);
          if (known !== undefined) return known;
          const hash = sha256(await read());
          cache.putContentHash(address, stamp, hash);
          return hash;
        },
      });
    }
  }
  if (sources.length === 0)
    throw new LookalikeError('no-pictures', `no pictures in ${location}, ${others} other objects`);
  const skipped = others > 0 ? ` (skipped: ${counted(others, 'not a picture', 'not pictures')})` : '';
  return { sources, errors: [], skipped };
}
