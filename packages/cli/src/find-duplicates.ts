import {
  type CalibratedThreshold,
  type DuplicateGroup,
  type DuplicateItem,
  embeddingTable,
  type FoundPairs,
  falsePositiveRateAt,
  findPairs,
  type GroupOptions,
  groupNearDuplicates,
  matchAgainst,
  pairsFrom,
  pixelHashCandidates,
  type SimilarPairs,
  thresholdForPrecision,
} from '@lookalike/duplicates';
import { pixelHash } from '@lookalike/encoder';
import { forEachConcurrently } from './concurrency.ts';
import type { PictureCache } from './picture-cache.ts';
import { readPicture, type ScannedPicture, sha256 } from './picture-scan.ts';

export interface FoundDuplicates {
  groups: DuplicateGroup[];
  /** The least similarity of a pair, as asked for or chosen. */
  threshold: number;
  /** Estimated, where the threshold was chosen by it; `undefined` too where no threshold reaches what was asked. */
  precision?: number;
  /** See `findPairs`. */
  complete: boolean;
  recall: number;
}

export interface FindDuplicatesOptions extends GroupOptions {
  /** The least similarity of a pair, or the estimated precision to choose it by. */
  level: { minSimilarity: number } | { minPrecision: number; calibration: readonly CalibratedThreshold[] };
  dimension: number;
  cache: PictureCache;
  /** Where given, the first so many pictures are matched against the others, and not with each other. */
  boundary?: number;
  /** Of every picture the embeddings of it mirrored and turned: they are compared as well. */
  turned?: readonly (readonly Float32Array[] | undefined)[];
  signal: AbortSignal;
  onProgress?: (share: number) => void;
}

const DECODED_AT_ONCE = 2;
/** Of unrelated pictures, while looking for the threshold of a precision. */
const MOST_FALSE_PAIRS = 2_000_000;

/** Groups scanned pictures; indices in the groups are positions in `pictures`. */
export async function findDuplicates(
  pictures: readonly ScannedPicture[],
  options: FindDuplicatesOptions,
): Promise<FoundDuplicates> {
  const { level, boundary } = options;
  const compared = comparedPairs(pictures, boundary) * (options.turned ? 8 : 1);
  const lowest = 'minSimilarity' in level ? level.minSimilarity : lowestUseful(level.calibration, compared);
  const found = await similarPairs(pictures, lowest, options);
  let { pairs } = found;
  let threshold = lowest;
  let precision: number | undefined;
  if ('minPrecision' in level) {
    const chosen = thresholdForPrecision(pairs, compared, level.calibration, level.minPrecision);
    // Where nothing is sure enough, equal pictures still are.
    threshold = chosen?.similarity ?? 1;
    precision = chosen?.precision;
    pairs = pairsFrom(pairs, threshold);
  }
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
  const groups =
    boundary === undefined
      ? groupNearDuplicates(items, pairs, options)
      : matchAgainst(items, boundary, pairs, options);
  const { complete, recall } = found;
  return { groups, threshold, complete, recall, ...(precision !== undefined && { precision }) };
}

function comparedPairs(pictures: readonly ScannedPicture[], boundary: number | undefined): number {
  const count = (list: readonly ScannedPicture[]) =>
    list.filter(({ picture }) => !picture.lowInformation).length;
  if (boundary !== undefined) return count(pictures.slice(0, boundary)) * count(pictures.slice(boundary));
  const all = count(pictures);
  return (all * (all - 1)) / 2;
}

/** The lowest similarity from which on unrelated pairs are not too many to collect. */
function lowestUseful(calibration: readonly CalibratedThreshold[], compared: number): number {
  let similarity = Math.min(...calibration.map((point) => point.similarity));
  while (similarity < 1 && falsePositiveRateAt(calibration, similarity) * compared > MOST_FALSE_PAIRS)
    similarity += 0.005;
  return Math.min(1, Math.max(0.001, similarity));
}

async function similarPairs(
  pictures: readonly ScannedPicture[],
  minSimilarity: number,
  { dimension, boundary, turned, signal, onProgress }: FindDuplicatesOptions,
): Promise<FoundPairs> {
  const rows = pictures.map(({ picture, embedding }) => (picture.lowInformation ? undefined : embedding));
  const shares = turned ? [0.125, 0.875] : [1, 0];
  const upright = await findPairs(embeddingTable(rows, dimension), {
    minSimilarity,
    signal,
    ...(boundary !== undefined && { boundary }),
    ...(onProgress && { onProgress: (share: number) => onProgress(share * (shares[0] as number)) }),
  });
  if (!turned) return upright;

  // Upright pictures on the left, every turned one on the right; with a reference, turned ones of the reference only.
  const left = boundary === undefined ? rows : rows.slice(0, boundary);
  const rightFrom = boundary ?? 0;
  const right = turned.slice(rightFrom);
  const turns = 7;
  const turnedRows = right.flatMap(
    (embeddings): readonly (Float32Array | undefined)[] =>
      embeddings ?? Array.from({ length: turns }, () => undefined),
  );
  const table = embeddingTable([...left, ...turnedRows], dimension);
  const crossed = await findPairs(table, {
    minSimilarity,
    boundary: left.length,
    signal,
    ...(onProgress && {
      onProgress: (share: number) => onProgress((shares[0] as number) + share * (shares[1] as number)),
    }),
  });
  return {
    ...upright,
    pairs: joined(upright.pairs, crossed.pairs, (row) =>
      row < left.length ? row : rightFrom + Math.floor((row - left.length) / turns),
    ),
  };
}

/** Both lists, the rows of the second renamed; pairs of a picture with itself left out. */
function joined(first: SimilarPairs, second: SimilarPairs, rename: (row: number) => number): SimilarPairs {
  const left = [...first.left];
  const right = [...first.right];
  const similarity = [...first.similarity];
  for (let pair = 0; pair < second.left.length; pair++) {
    const a = rename(second.left[pair] as number);
    const b = rename(second.right[pair] as number);
    if (a === b) continue;
    left.push(Math.min(a, b));
    right.push(Math.max(a, b));
    similarity.push(second.similarity[pair] as number);
  }
  return {
    left: Uint32Array.from(left),
    right: Uint32Array.from(right),
    similarity: Float32Array.from(similarity),
  };
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
        hash = await pixelHash(bytes, { signal });
        cache.putPixelHash(contentHash, hash);
      }
      item.pixelHash = hash;
    },
    signal,
  );
}
