import {
  type CalibratedThreshold,
  cosine,
  type DuplicateGroup,
  type DuplicateItem,
  falsePositiveRateAt,
  findNearPairs,
  frameHashCandidates,
  type GroupOptions,
  groupNearDuplicates,
  type LedgerStore,
  MOST_HASH_BITS,
  matchAgainst,
  type PictureRow,
  pairsFrom,
  pixelHashCandidates,
  type SimilarPairs,
  SURE_HASH_BITS,
  thresholdForPrecision,
} from '@lookalike/duplicates';
import { frameHashes, pixelHashIfReadable } from '@lookalike/encoder';
import { forEachConcurrently } from './concurrency.ts';
import type { PictureCache } from './picture-cache.ts';
import { readPicture, type ScannedFile, sha256 } from './picture-scan.ts';

export interface FoundDuplicates {
  groups: DuplicateGroup[];
  /** The least similarity of a pair, as asked for or chosen. */
  threshold: number;
  /** Estimated, where the threshold was chosen by it; `undefined` too where no threshold reaches what was asked. */
  precision?: number;
  /** See `findPairs`. */
  complete: boolean;
  recall: number;
  /** Pairs of pictures that were looked at; those known from earlier runs are not. */
  compared: number;
}

export interface FindDuplicatesOptions extends Pick<GroupOptions, 'different'> {
  /** The least similarity of a pair, or the estimated precision to choose it by. */
  level: { minSimilarity: number } | { minPrecision: number; calibration: readonly CalibratedThreshold[] };
  /** Pictures whose perceptual hashes agree are pairs as well, from this similarity on; missing: they are not. */
  minHashSimilarity?: number | undefined;
  dimension: number;
  cache: PictureCache;
  /** Where the pairs of earlier runs are kept. */
  ledger?: LedgerStore;
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

/** Groups scanned files; indices in the groups are positions in `pictures`. Those without an embedding go by their bytes. */
export async function findDuplicates(
  pictures: readonly ScannedFile[],
  options: FindDuplicatesOptions,
): Promise<FoundDuplicates> {
  const { level, boundary, turned, ledger, onProgress } = options;
  const contents = distinctContents(pictures, boundary);
  const compared = comparedPairs(contents, pictures) * (turned ? waysCompared(boundary) : 1);
  const lowest = 'minSimilarity' in level ? level.minSimilarity : lowestUseful(level.calibration, compared);
  const found = await findNearPairs(
    contents.files.map(([file]) => rowOf(pictures[file as number] as ScannedFile, turned?.[file as number])),
    {
      minSimilarity: lowest,
      minHashSimilarity: options.minHashSimilarity,
      // The estimate of precision knows of embeddings only.
      mostHashBits: 'minPrecision' in level ? SURE_HASH_BITS : MOST_HASH_BITS,
      dimension: options.dimension,
      signal: options.signal,
      ...(contents.boundary !== undefined && { boundary: contents.boundary }),
      ...(ledger && { ledger }),
      ...(onProgress && { onProgress }),
    },
  );
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
      width: picture?.width ?? 0,
      height: picture?.height ?? 0,
      ...(picture && { frames: picture.frames, page: picture.page, sharpness: picture.sharpness }),
      lowInformation: picture?.lowInformation ?? false,
    }),
  );
  const ofFiles = pairsOfFiles(pairs, contents);
  const byHash = pairsOfFiles(found.hashPairs, contents);
  const { cache } = options;
  await decodeFurther(pixelHashCandidates(items, ofFiles), pictures, options, {
    cached: (contentHash) => cache.pixelHash(contentHash),
    decode: pixelHashIfReadable,
    keep: (contentHash, hash) => cache.putPixelHash(contentHash, hash),
    use: (index, hash) => {
      (items[index] as DuplicateItem).pixelHash = hash;
    },
  });
  await decodeFurther(frameHashCandidates(items, ofFiles, byHash), pictures, options, {
    cached: (contentHash) => cache.frameHashes(contentHash),
    decode: frameHashes,
    keep: (contentHash, hashes) => cache.putFrameHashes(contentHash, hashes),
    use: (index, hashes) => {
      (items[index] as DuplicateItem).frameHashes = hashes;
    },
  });
  const grouping: GroupOptions = {
    ...(options.different && { different: options.different }),
    ...(options.minHashSimilarity !== undefined && {
      hashes: {
        pairs: byHash,
        similarity: (a, b) => cosine(pictures[a]?.embedding ?? [], pictures[b]?.embedding ?? []),
      },
    }),
  };
  const groups =
    boundary === undefined
      ? groupNearDuplicates(items, ofFiles, grouping)
      : matchAgainst(items, boundary, ofFiles, grouping);
  const { complete, recall } = found;
  return {
    groups,
    threshold,
    complete,
    recall,
    compared: found.compared,
    ...(precision !== undefined && { precision }),
  };
}

interface Contents {
  /** Of each content the positions of its files. */
  files: number[][];
  /** Where given, so many of them are of pictures before the boundary; one that is on both sides is there twice. */
  boundary?: number;
}

/** Files with the same bytes are compared once, however many there are. */
function distinctContents(pictures: readonly ScannedFile[], boundary: number | undefined): Contents {
  const filesFrom = (from: number, to: number) => {
    const files = new Map<string, number[]>();
    for (let file = from; file < to; file++) {
      const { contentHash } = pictures[file] as ScannedFile;
      const same = files.get(contentHash);
      if (same) same.push(file);
      else files.set(contentHash, [file]);
    }
    return [...files.values()];
  };
  if (boundary === undefined) return { files: filesFrom(0, pictures.length) };
  const own = filesFrom(0, boundary);
  return { files: [...own, ...filesFrom(boundary, pictures.length)], boundary: own.length };
}

function rowOf(
  { contentHash, picture, embedding }: ScannedFile,
  turned: readonly Float32Array[] | undefined,
): PictureRow {
  const { perceptualHash, lowInformation, page } = picture ?? {};
  return { key: contentHash, embedding, perceptualHash, lowInformation, page, turned };
}

/**
 * Pairs of contents as pairs of files. One file stands for all with its bytes, as a group has them all; across a boundary every
 * file is matched for itself.
 */
function pairsOfFiles(
  { left, right, similarity }: SimilarPairs,
  { files, boundary }: Contents,
): SimilarPairs {
  const columns: [number[], number[], number[]] = [[], [], []];
  const taken = (row: number) => (boundary === undefined ? files[row]?.slice(0, 1) : files[row]) as number[];
  for (let pair = 0; pair < left.length; pair++)
    for (const a of taken(left[pair] as number))
      for (const b of taken(right[pair] as number)) {
        columns[0].push(Math.min(a, b));
        columns[1].push(Math.max(a, b));
        columns[2].push(similarity[pair] as number);
      }
  return {
    left: Uint32Array.from(columns[0]),
    right: Uint32Array.from(columns[1]),
    similarity: Float32Array.from(columns[2]),
  };
}

function comparedPairs({ files, boundary }: Contents, pictures: readonly ScannedFile[]): number {
  const count = (rows: readonly number[][]) =>
    rows.filter(([file]) => pictures[file as number]?.picture?.lowInformation === false).length;
  if (boundary !== undefined) return count(files.slice(0, boundary)) * count(files.slice(boundary));
  const all = count(files);
  return (all * (all - 1)) / 2;
}

/**
 * How often two pictures are compared where the seven ways to turn and mirror one count: upright, and each turned against the other
 * (see `PictureRow.turned`). Both directions count, as an encoder does not quite see the same both times.
 */
function waysCompared(boundary: number | undefined): number {
  return boundary === undefined ? 15 : 8;
}

/** The lowest similarity from which on unrelated pairs are not too many to collect. */
function lowestUseful(calibration: readonly CalibratedThreshold[], compared: number): number {
  let similarity = Math.min(...calibration.map((point) => point.similarity));
  while (similarity < 1 && falsePositiveRateAt(calibration, similarity) * compared > MOST_FALSE_PAIRS)
    similarity += 0.005;
  return Math.min(1, Math.max(0.001, similarity));
}

/** What is learnt of a picture by decoding it once more; `decode` resolves to undefined where it cannot be. */
interface FurtherFact<Fact> {
  cached(contentHash: string): Fact | undefined;
  decode(bytes: Uint8Array, options: { signal: AbortSignal }): Promise<Fact | undefined>;
  keep(contentHash: string, fact: Fact): void;
  use(index: number, fact: Fact): void;
}

async function decodeFurther<Fact>(
  candidates: readonly number[],
  pictures: readonly ScannedFile[],
  { signal }: FindDuplicatesOptions,
  { cached, decode, keep, use }: FurtherFact<Fact>,
): Promise<void> {
  await forEachConcurrently(
    candidates,
    DECODED_AT_ONCE,
    async (index) => {
      const picture = pictures[index] as ScannedFile;
      const { contentHash } = picture;
      let fact = cached(contentHash);
      if (fact === undefined) {
        const bytes = await readUnchanged(picture);
        fact = bytes && (await decode(bytes, { signal }));
        if (fact === undefined) return;
        keep(contentHash, fact);
      }
      use(index, fact);
    },
    signal,
  );
}

/** The bytes of a file; none where it is gone or has changed since it was scanned: it keeps its embedding, and goes without more. */
async function readUnchanged({ absolute, contentHash }: ScannedFile): Promise<Uint8Array | undefined> {
  const bytes = await readPicture(absolute).catch(() => undefined);
  return bytes && sha256(bytes) === contentHash ? bytes : undefined;
}
