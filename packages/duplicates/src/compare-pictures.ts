import type { DuplicateItem } from './duplicate-item.ts';
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
  /** SHA-256 of the decoded pixels; asked for only where it decides. */
  pixelHash: () => Promise<string>;
}

/**
 * What decided. Of two that are the same: `bytes`, `pixels`, `embedding` or `perceptual-hash`, as in a group of duplicates. Of two that
 * are not: `low-information`, one of them is blank; `page`, both are pages and their hashes disagree; otherwise `embedding`.
 */
export type ComparedBy = 'bytes' | 'pixels' | 'embedding' | 'perceptual-hash' | 'low-information' | 'page';

/**
 * Whether a search for duplicates with `minSimilarity` and perceptual hashes would put two pictures in one group. It is such a search,
 * of two pictures, so that neither can say other than the other.
 */
export async function comparePictures(
  a: ComparedPicture,
  b: ComparedPicture,
  {
    minSimilarity,
    calibration,
  }: { minSimilarity: number /** Of the model. */; calibration: readonly CalibratedThreshold[] },
): Promise<{ same: boolean; by: ComparedBy }> {
  const pictures = [a, b];
  const minHashSimilarity = leastHashSimilarity(calibration);
  const { pairs, hashPairs } = await findNearPairs(
    pictures.map((picture, index) => ({ ...picture, key: `${index}` })),
    { dimension: a.embedding.length, minSimilarity, minHashSimilarity },
  );
  const items = pictures.map(
    ({ contentHash, bytes, width, height, lowInformation = false }, index): DuplicateItem => ({
      key: `${index}`,
      contentHash,
      bytes,
      width,
      height,
      modified: 0,
      lowInformation,
    }),
  );
  for (const index of pixelHashCandidates(items, pairs))
    (items[index] as DuplicateItem).pixelHash = await (pictures[index] as ComparedPicture).pixelHash();
  const similarity = () => cosine(a.embedding, b.embedding);
  const [group] = groupNearDuplicates(items, pairs, { hashes: { pairs: hashPairs, similarity } });
  const other = group?.members[1];
  if (other === undefined) return { same: false, by: whatParts(a, b, similarity() >= minSimilarity) };
  if (other.kind === 'near') return { same: true, by: other.by ?? 'embedding' };
  return { same: true, by: other.kind === 'exact' ? 'bytes' : 'pixels' };
}

function whatParts(a: ComparedPicture, b: ComparedPicture, isSimilar: boolean): ComparedBy {
  if (a.lowInformation || b.lowInformation) return 'low-information';
  return isSimilar && a.page && b.page ? 'page' : 'embedding';
}
