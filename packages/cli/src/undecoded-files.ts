import { stat } from 'node:fs/promises';
import { forEachConcurrently } from './concurrency.ts';
import { fileStamp } from './file-stamp.ts';
import type { PictureCache } from './picture-cache.ts';
import { type ScannedFile, type ScannedPicture, sha256OfFile } from './picture-scan.ts';
import type { FoundFile } from './walk-pictures.ts';

export interface UndecodedFile extends Omit<ScannedFile, 'contentHash'> {
  /** Missing where no other file has its size: it is like none. */
  contentHash?: string;
}

interface Options {
  /** What could be decoded: a file with the bytes of one of them is that picture under another name. */
  pictures: readonly ScannedPicture[];
  cache: PictureCache;
  signal: AbortSignal;
}

const FILES_AT_ONCE = 4;

/**
 * Files that cannot be decoded, or are of a format that is not, as far as their bytes tell: hashed are those of a size that another
 * file has too. Empty ones have nothing to compare. Those that cannot be read are left out. In the order of the files given.
 */
export async function undecodedFiles(
  files: readonly FoundFile[],
  { pictures, cache, signal }: Options,
): Promise<UndecodedFile[]> {
  const stamps = await Promise.all(files.map(({ absolute }) => stat(absolute).catch(() => undefined)));
  const sizes = new Map<number, number>();
  const count = (size: number) => sizes.set(size, (sizes.get(size) ?? 0) + 1);
  for (const stamp of stamps) if (stamp) count(stamp.size);
  for (const { bytes } of pictures) count(bytes);
  const decoded = new Map(pictures.map((picture) => [picture.contentHash, picture]));

  const found = new Array<UndecodedFile | undefined>(files.length);
  await forEachConcurrently(
    files,
    FILES_AT_ONCE,
    async (file, index) => {
      const facts = stamps[index];
      if (!facts) return;
      const stamp = fileStamp(facts);
      const undecoded: UndecodedFile = { ...file, bytes: stamp.size, modified: stamp.modified };
      if (stamp.size > 0 && (sizes.get(stamp.size) as number) > 1) {
        let hash = cache.contentHash(file.absolute, stamp);
        if (hash === undefined) {
          hash = await sha256OfFile(file.absolute, signal).catch(() => undefined);
          signal.throwIfAborted();
          if (hash === undefined) return;
          cache.putContentHash(file.absolute, stamp, hash);
        }
        const { picture, embedding } = decoded.get(hash) ?? {};
        Object.assign(undecoded, { contentHash: hash, ...(picture && { picture, embedding }) });
      }
      found[index] = undecoded;
    },
    signal,
  );
  return found.filter((file) => file !== undefined);
}
