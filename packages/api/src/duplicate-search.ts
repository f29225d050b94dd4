import type {
  DuplicateItem,
  DuplicateGroup as Grouped,
  LedgerStore,
  PictureRow,
  SimilarPairs,
} from '@lookalike/duplicates';
import { cosine, findNearPairs, groupNearDuplicates, renamePairs } from '@lookalike/duplicates';
import type { Collection, Filter, StoredItem } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import { contentHashOf, keptPicture } from './kept-picture.ts';
import type { DuplicateGroup } from './schemas.ts';

/** All embeddings are in memory at once: this many of 256 dimensions take 1 GB. */
const maxItems = 1_000_000;
const pageSize = 1000;

export interface DuplicateSearch {
  minSimilarity: number;
  /** Pictures whose perceptual hashes agree are pairs as well, from this similarity on; missing: they are not. */
  minHashSimilarity?: number | undefined;
  filter?: Filter | undefined;
  /** Where the pairs of earlier searches with this filter are kept. */
  ledger: LedgerStore;
  /** A person's verdict on two pictures (by content hash). */
  different?: ((contentHashA: string, contentHashB: string) => boolean) | undefined;
  signal: AbortSignal;
  /** Of the search for pairs. */
  onProgress: (progress: { done: number; total: number }) => void;
}

export interface FoundDuplicates {
  /**
   * Every item of the groups was in the collection at this version as it was compared, and still when the search ended. Missing may
   * be what was written while the collection was read.
   */
  version: number;
  groups: DuplicateGroup[];
  complete: boolean;
  pairRecall: number;
  /** Items that an earlier search had compared with each other. */
  known: number;
}

/** What is grouped: items, their rows, and pairs of both by index. */
interface Compared {
  items: DuplicateItem[];
  rows: PictureRow[];
  pairs: SimilarPairs;
  hashPairs: SimilarPairs;
}

/**
 * Groups the near-duplicates of a collection. It is read page by page, while others may write: what was deleted or replaced before the
 * search has ended is in no group, so that none proposes to keep what is gone. Which one to keep goes by what was kept of the pictures when they
 * were ingested; an earlier version counts as the older file. Items without a picture never count as the same bytes.
 * Throws `metric-not-supported`, `too-many-items`, `too-many-pairs`, or the reason of `signal`.
 */
export async function findDuplicates(
  collection: Collection,
  search: DuplicateSearch,
): Promise<FoundDuplicates> {
  const { info } = collection;
  if (info.metric !== 'cosine') {
    throw new LookalikeError(
      'metric-not-supported',
      `near-duplicates are found by cosine similarity; ${info.name} has the metric ${info.metric}`,
    );
  }
  const { items, rows, version } = await readItems(collection, search);
  const total = items.length;
  search.onProgress({ done: 0, total });
  const { pairs, hashPairs, complete, recall, known } = await findNearPairs(rows, {
    dimension: info.dimension,
    minSimilarity: search.minSimilarity,
    minHashSimilarity: search.minHashSimilarity,
    ledger: search.ledger,
    signal: search.signal,
    onProgress: (share) => search.onProgress({ done: Math.floor(share * total), total }),
  });
  const groups = await currentGroups(collection, { items, rows, pairs, hashPairs }, search);
  return { version, groups, complete, pairRecall: recall, known };
}

/** Grouped anew without what is gone, until all that is in a group is there. */
async function currentGroups(
  collection: Collection,
  found: Compared,
  search: DuplicateSearch,
): Promise<DuplicateGroup[]> {
  const seen = new Set<string>();
  for (let compared = found; ; ) {
    const groups = groupsOf(compared, search);
    const grouped = groups
      .flatMap(({ members }) => members.map(({ index }) => compared.items[index] as DuplicateItem))
      .filter(({ key }) => !seen.has(key));
    const gone = await changedSince(collection, grouped, search.signal);
    if (gone.size === 0) return groups.map((group) => groupAnswer(group, compared.items));
    for (const { key } of grouped) seen.add(key);
    compared = without(compared, gone);
  }
}

/** Keys of those that were deleted or replaced. */
async function changedSince(
  collection: Collection,
  items: readonly DuplicateItem[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const gone = new Set<string>();
  for (let from = 0; from < items.length; from += pageSize) {
    signal.throwIfAborted();
    const page = items.slice(from, from + pageSize);
    const now = await collection.get(
      page.map(({ key }) => key),
      { include: [] },
    );
    for (const [at, { key, modified }] of page.entries()) if (now[at]?.version !== modified) gone.add(key);
  }
  return gone;
}

function without({ items, rows, pairs, hashPairs }: Compared, gone: ReadonlySet<string>): Compared {
  const kept = [...items.keys()].filter((index) => !gone.has((items[index] as DuplicateItem).key));
  const places = new Map(kept.map((index, place) => [index, place]));
  const placeOf = (index: number) => places.get(index);
  return {
    items: kept.map((index) => items[index] as DuplicateItem),
    rows: kept.map((index) => rows[index] as PictureRow),
    pairs: renamePairs(pairs, placeOf),
    hashPairs: renamePairs(hashPairs, placeOf),
  };
}

function groupsOf(
  { items, rows, pairs, hashPairs }: Compared,
  { minHashSimilarity, different }: DuplicateSearch,
): Grouped[] {
  return groupNearDuplicates(items, pairs, {
    ...(minHashSimilarity !== undefined && {
      hashes: {
        pairs: hashPairs,
        similarity: (a, b) => cosine(rows[a]?.embedding ?? [], rows[b]?.embedding ?? []),
      },
    }),
    ...(different && { different }),
  });
}

function groupAnswer(
  { keep, reason, members, weakest }: Grouped,
  items: readonly DuplicateItem[],
): DuplicateGroup {
  const at = (index: number) => items[index] as DuplicateItem;
  return {
    keep: at(keep).key,
    reason,
    weakest: weakest.similarity,
    weakestPair: [at(weakest.a).key, at(weakest.b).key],
    items: members.map(({ index, kind, similarity, by }) => ({
      id: at(index).key,
      kind,
      similarity,
      ...(by === 'perceptual-hash' && { by }),
      ...(at(index).lowInformation && { lowInformation: true }),
    })),
  };
}

async function readItems(
  collection: Collection,
  { filter, signal }: DuplicateSearch,
): Promise<{ items: DuplicateItem[]; rows: PictureRow[]; version: number }> {
  const items: DuplicateItem[] = [];
  const rows: PictureRow[] = [];
  let version = 0;
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await collection.scan({
      limit: pageSize,
      include: ['metadata', 'vector'],
      ...(after === undefined ? {} : { after }),
      ...(filter === undefined ? {} : { filter }),
    });
    for (const stored of page.items) {
      items.push(duplicateItem(stored));
      rows.push(pictureRow(stored));
    }
    if (items.length > maxItems) {
      throw new LookalikeError(
        'too-many-items',
        `more than ${maxItems} items; choose some of them with a filter`,
      );
    }
    version = page.version;
    after = page.next;
  } while (after !== undefined);
  return { items, rows, version };
}

function duplicateItem({ id, version, metadata }: StoredItem): DuplicateItem {
  const { width, height, frames, frameHashes, page, bytes, pixelHash, sharpness, lowInformation } =
    keptPicture(metadata);
  return {
    key: id,
    contentHash: contentHashOf(id, metadata),
    ...(pixelHash !== undefined && { pixelHash }),
    width: width ?? 0,
    height: height ?? 0,
    bytes: bytes ?? 0,
    ...(frames !== undefined && { frames }),
    ...(frameHashes !== undefined && { frameHashes }),
    page,
    ...(sharpness !== undefined && { sharpness }),
    modified: version,
    lowInformation: lowInformation ?? false,
  };
}

/** Known from an earlier search as long as the item is the same version. */
function pictureRow({ id, version, vector, metadata }: StoredItem): PictureRow {
  const { perceptualHash, lowInformation, page } = keptPicture(metadata);
  const embedding = vector && normalised(vector);
  return { key: `${version} ${id}`, embedding, perceptualHash, lowInformation, page };
}

function normalised(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return Math.abs(length - 1) < 1e-6 ? vector : vector.map((value) => value / length);
}
