import {
  type DuplicateGroup,
  type DuplicateItem,
  embeddingTable,
  findPairs,
  type GroupOptions,
  groupNearDuplicates,
  pixelHashCandidates,
} from '@lookalike/duplicates';
import { pixelHash } from '@lookalike/encoder';
import { forEachConcurrently } from './concurrency.ts';
import type { PictureCache } from './picture-cache.ts';
import { readPicture, type ScannedPicture, sha256 } from './picture-scan.ts';

export interface FoundDuplicates {
  groups: DuplicateGroup[];
  /** See `findPairs`. */
  complete: boolean;
  recall: number;
}

export interface FindDuplicatesOptions extends GroupOptions {
  minSimilarity: number;
  dimension: number;
  cache: PictureCache;
  signal?: AbortSignal;
  onProgress?: (share: number) => void;
}

const DECODED_AT_ONCE = 2;

/** Groups scanned pictures; indices in the groups are positions in `pictures`. */
export async function findDuplicates(
  pictures: readonly ScannedPicture[],
  options: FindDuplicatesOptions,
): Promise<FoundDuplicates> {
  const table = embeddingTable(
    pictures.map(({ picture, embedding }) => (picture.lowInformation ? undefined : embedding)),
    options.dimension,
  );
  const { pairs, complete, recall } = await findPairs(table, {
    minSimilarity: options.minSimilarity,
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  const items = pictures.map(
    ({ path, contentHash, bytes, modified, picture }): DuplicateItem => ({
      key: path,
      contentHash,
      bytes,
      modified,
      width: picture.width,
      height: picture.height,
      lowInformation: picture.lowInformation,
    }),
  );
  await hashPixels(items, pictures, pixelHashCandidates(items, pairs), options);
  return { groups: groupNearDuplicates(items, pairs, options), complete, recall };
}

async function hashPixels(
  items: readonly DuplicateItem[],
  pictures: readonly ScannedPicture[],
  candidates: readonly number[],
  { cache, signal }: FindDuplicatesOptions,
): Promise<void> {
  await forEachConcurrently(
    candidates,
    DECODED_AT_ONCE,
    async (index) => {
      const item = items[index] as DuplicateItem;
      const { contentHash, absolute } = pictures[index] as ScannedPicture;
      let hash = cache.pixelHash(contentHash);
      if (hash === undefined) {
        const bytes = await readPicture(absolute).catch(() => undefined);
        // Gone or changed since it was scanned: it keeps its embedding and goes without a pixel hash.
        if (!bytes || sha256(bytes) !== contentHash) return;
        hash = await pixelHash(bytes, signal ? { signal } : {});
        cache.putPixelHash(contentHash, hash);
      }
      item.pixelHash = hash;
    },
    signal,
  );
}
