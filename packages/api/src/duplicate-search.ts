import type { DuplicateItem } from '@lookalike/duplicates';
import { embeddingTable, findPairs, groupNearDuplicates } from '@lookalike/duplicates';
import type { Collection, Filter, Metadata, StoredItem } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { DuplicateGroup } from './schemas.ts';
import { pictureHashOf } from './thumbnails.ts';

/** All embeddings are in memory at once: this many of 256 dimensions take 1 GB. */
const maxItems = 1_000_000;
const pageSize = 1000;

export interface DuplicateSearch {
  minSimilarity: number;
  filter?: Filter | undefined;
  /** A person's verdict on two pictures (by content hash). */
  different?: ((contentHashA: string, contentHashB: string) => boolean) | undefined;
  signal: AbortSignal;
  /** Of the search for pairs. */
  onProgress: (progress: { done: number; total: number }) => void;
}

export interface FoundDuplicates {
  version: number;
  groups: DuplicateGroup[];
  complete: boolean;
  pairRecall: number;
}

/**
 * Groups the near-duplicates of a collection, as it is at one version. Which one to keep goes by what was kept of the pictures when they
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
  const { items, embeddings, version } = await readItems(collection, search);
  const total = items.length;
  search.onProgress({ done: 0, total });
  const { pairs, complete, recall } = await findPairs(embeddingTable(embeddings, info.dimension), {
    minSimilarity: search.minSimilarity,
    signal: search.signal,
    onProgress: (share) => search.onProgress({ done: Math.floor(share * total), total }),
  });
  const keyOf = (index: number) => (items[index] as DuplicateItem).key;
  const groups = groupNearDuplicates(items, pairs, search.different && { different: search.different }).map(
    ({ keep, reason, members, weakest }): DuplicateGroup => ({
      keep: keyOf(keep),
      reason,
      weakest: weakest.similarity,
      weakestPair: [keyOf(weakest.a), keyOf(weakest.b)],
      items: members.map(({ index, kind, similarity }) => ({ id: keyOf(index), kind, similarity })),
    }),
  );
  return { version, groups, complete, pairRecall: recall };
}

async function readItems(
  collection: Collection,
  { filter, signal }: DuplicateSearch,
): Promise<{ items: DuplicateItem[]; embeddings: (Float32Array | undefined)[]; version: number }> {
  const items: DuplicateItem[] = [];
  const embeddings: (Float32Array | undefined)[] = [];
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
      const item = duplicateItem(stored);
      items.push(item);
      embeddings.push(
        item.lowInformation || stored.vector === undefined ? undefined : normalised(stored.vector),
      );
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
  return { items, embeddings, version };
}

/** Of the picture file; an item without one is like no other. */
export function contentHashOf(id: string, metadata: Metadata): string {
  return pictureHashOf(metadata) ?? `item ${id}`;
}

function duplicateItem({ id, version, metadata }: StoredItem): DuplicateItem {
  const picture = metadata.picture;
  const facts = typeof picture === 'object' && picture !== null && !Array.isArray(picture) ? picture : {};
  const numberOf = (value: unknown) => (typeof value === 'number' ? value : 0);
  return {
    key: id,
    contentHash: contentHashOf(id, metadata),
    width: numberOf(facts.width),
    height: numberOf(facts.height),
    bytes: numberOf(facts.bytes),
    modified: version,
    lowInformation: facts.lowInformation === true,
  };
}

function normalised(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return Math.abs(length - 1) < 1e-6 ? vector : vector.map((value) => value / length);
}
