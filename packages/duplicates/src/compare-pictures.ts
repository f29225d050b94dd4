import { frameHashCandidates } from './animations.ts';
import { type DuplicateItem, isAnimated } from './duplicate-item.ts';
import { cosine } from './embedding-table.ts';
import { groupNearDuplicates } from './group-near-duplicates.ts';
import { findNearPairs, leastHashSimilarity, type PictureRow } from './near-pairs.ts';
import { pixelHashCandidates } from './pixel-candidates.ts';
import type { CalibratedThreshold } from './precision-threshold.ts';

/** What is known of a picture that is compared with another one. */
export interface ComparedPicture
  extends Pick<DuplicateItem, 'contentHash' | 'bytes' | 'width' | 'height'>,
    Pick<PictureRow, 'lowInformation' | 'perceptualHash' | 'page'> {
  embedding: Float32Array;
  /** See `DuplicateItem`. */
  frames?: number | undefined;
  /** SHA-256 of the decoded pixels, none where they cannot be read; asked for only where it decides. */
  pixelHash: () => Promise<string | undefined>;
  /** See `DuplicateItem`; asked for only where it decides. */
  frameHashes: () => Promise<readonly string[] | undefined>;
}

/**
 * What decided. Of two that are the same: `bytes`, `pixels`, `embedding` or `perceptual-hash`, as in a group of duplicates. Of two that
 * are not: `low-information`, one of them is blank; `frames`, they are animations that begin alike and go on differently, as far as that is known; `page`,
 * both are pages and their hashes disagree; otherwise `embedding`.
 */
export type ComparedBy =
  | 'bytes'
  | 'pixels'
  | 'embedding'
  | 'perceptual-hash'
  | 'low-information'
  | 'frames'
  | 'page';

export interface CompareOptions {
  /** Of the two, in the metric of the model. */
  similarity: number;
  /** One's own, which then alone decides. */
  threshold?: number | undefined;
  /** Whose embeddings they are: see `ModelDescription`. */
  model: {
    purpose?: 'near-duplicates';
    defaultThreshold: number;
    thresholds: readonly CalibratedThreshold[];
  };
}

export interface Verdict {
  same: boolean;
  by: ComparedBy;
  threshold: number;
}

/**
 * Whether two count as the same. Of pictures, where the model is for near-duplicates and no threshold is given, that is whether a search
 * for duplicates would put them in one group; otherwise it is their similarity alone. `undefined`: a vector, of no known picture.
 */
export async function comparePictures(
  a: ComparedPicture | undefined,
  b: ComparedPicture | undefined,
  { similarity, threshold, model }: CompareOptions,
): Promise<Verdict> {
  const least = threshold ?? model.defaultThreshold;
  const isSearch = threshold === undefined && model.purpose === 'near-duplicates';
  const verdict =
    isSearch && a && b
      ? await searchedTogether(a, b, { minSimilarity: least, calibration: model.thresholds })
      : { same: similarity >= least, by: 'embedding' as const };
  return { ...verdict, threshold: least };
}

/** By a search of two pictures, so that it cannot say other than one of many. */
async function searchedTogether(
  a: ComparedPicture,
  b: ComparedPicture,
  { minSimilarity, calibration }: { minSimilarity: number; calibration: readonly CalibratedThreshold[] },
): Promise<Pick<Verdict, 'same' | 'by'>> {
  const pictures = [a, b];
  const minHashSimilarity = leastHashSimilarity(calibration);
  const { pairs, hashPairs } = await findNearPairs(
    pictures.map((picture, index) => ({ ...picture, key: `${index}` })),
    { dimension: a.embedding.length, minSimilarity, minHashSimilarity },
  );
  const items = pictures.map(
    (
      { contentHash, bytes, width, height, frames = 1, page, lowInformation = false },
      index,
    ): DuplicateItem => ({
      key: `${index}`,
      contentHash,
      bytes,
      width,
      height,
      frames,
      page,
      modified: 0,
      lowInformation,
    }),
  );
  for (const index of pixelHashCandidates(items, pairs)) {
    const pixelHash = await pictures[index]?.pixelHash();
    if (pixelHash !== undefined) (items[index] as DuplicateItem).pixelHash = pixelHash;
  }
  for (const index of frameHashCandidates(items, pairs, hashPairs)) {
    const frameHashes = await pictures[index]?.frameHashes();
    if (frameHashes !== undefined) (items[index] as DuplicateItem).frameHashes = frameHashes;
  }
  const similarity = () => cosine(a.embedding, b.embedding);
  const [group] = groupNearDuplicates(items, pairs, { hashes: { pairs: hashPairs, similarity } });
  const other = group?.members[1];
  if (other === undefined) return { same: false, by: whatParts(a, b, similarity() >= minSimilarity) };
  if (other.kind === 'near') return { same: true, by: other.by ?? 'embedding' };
  return { same: true, by: other.kind === 'exact' ? 'bytes' : 'pixels' };
}

function whatParts(a: ComparedPicture, b: ComparedPicture, isSimilar: boolean): ComparedBy {
  if (a.lowInformation || b.lowInformation) return 'low-information';
  if (!isSimilar) return 'embedding';
  if (isAnimated(a) && isAnimated(b)) return 'frames';
  return a.page && b.page ? 'page' : 'embedding';
}
