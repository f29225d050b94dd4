import { LookalikeError } from '@lookalike/store';
import { completeLinkClusters, type Edge } from './complete-link.ts';
import { compareKeys, type DuplicateItem, type DuplicateKind } from './duplicate-item.ts';
import { chooseKeep } from './keep-choice.ts';
import type { SimilarPairs } from './similar-pairs.ts';

export interface GroupOptions {
  /** A person's verdict that these two files (by content hash) are different pictures: never put in one group. */
  different?: (contentHashA: string, contentHashB: string) => boolean;
}

export interface DuplicateMember {
  /** Index into the items given. */
  index: number;
  /** How it relates to the kept one; the kept one itself is `exact`. */
  kind: DuplicateKind;
  /** To the kept one; 1 for `exact` and `pixels`. */
  similarity: number;
}

export interface DuplicateGroup {
  /** Index of the item proposed to be kept. */
  keep: number;
  /** Why that one, in words. */
  reason: string;
  /** All of the group: the kept one first, then the most alike first, ties by key. */
  members: DuplicateMember[];
  /** The least alike two of the group (indices): what to look at where a group is in doubt. */
  weakest: { a: number; b: number; similarity: number };
}

/**
 * Groups of files that show the same picture. Files with the same bytes or pixels are always together (unless a verdict
 * parts the pixels); beyond that every two pictures of a group are a pair of `pairs` (complete link): similarity is not
 * carried over from one to the next. Groups are in order of the kept one's key, and neither the groups nor what is in
 * them depend on the order of items or pairs.
 *
 * Pairs of low-information items are ignored. A picture's similarity is the best of the files that have its pixels.
 *
 * @throws LookalikeError `duplicate-key` where two items have the same key.
 */
export function groupNearDuplicates(
  items: readonly DuplicateItem[],
  pairs: SimilarPairs,
  options: GroupOptions = {},
): DuplicateGroup[] {
  const { keys, filesOf, nodeOf, edges } = pictureGraph(items, pairs, options.different);
  const similarityOf = new Map(edges.map((edge) => [edgeKey(edge.a, edge.b, keys.length), edge.similarity]));
  const clusters = completeLinkClusters(keys, edges);
  const clustered = new Set(clusters.flatMap((cluster) => cluster.nodes));

  const groups: DuplicateGroup[] = clusters.map(({ nodes, weakest }) => {
    const first = (node: number) => (filesOf[node] as number[])[0] as number;
    return describeGroup(
      items,
      nodes.flatMap((node) => filesOf[node] as number[]),
      {
        similarity: (a, b) =>
          similarityOf.get(edgeKey(nodeOf[a] as number, nodeOf[b] as number, keys.length)) ?? 1,
        weakest: { a: first(weakest.a), b: first(weakest.b), similarity: weakest.similarity },
      },
    );
  });
  for (const [node, files] of filesOf.entries()) {
    if (files.length < 2 || clustered.has(node)) continue;
    const [a, b] = files as [number, number];
    groups.push(describeGroup(items, files, { similarity: () => 1, weakest: { a, b, similarity: 1 } }));
  }
  return groups.sort((a, b) => compareKeys(keyOf(items, a.keep), keyOf(items, b.keep)));
}

interface PictureGraph {
  /** Of every picture: the first key of its files. */
  keys: string[];
  /** Of every picture: its files (item indices), ascending by key. */
  filesOf: number[][];
  /** Of every item: its picture. */
  nodeOf: number[];
  edges: Edge[];
}

/** One node a picture (files with equal pixels), one edge a pair of them that may be put together. */
function pictureGraph(
  items: readonly DuplicateItem[],
  pairs: SimilarPairs,
  different: GroupOptions['different'],
): PictureGraph {
  const pictureOf = pictureNames(items, different);
  const order = [...items.keys()].sort((a, b) => compareKeys(keyOf(items, a), keyOf(items, b)));
  const nodes = new Map<string, number[]>();
  for (const [position, index] of order.entries()) {
    if (position > 0 && keyOf(items, index) === keyOf(items, order[position - 1] as number))
      throw new LookalikeError('duplicate-key', `two items have the key ${keyOf(items, index)}`);
    const name = pictureOf[index] as string;
    const files = nodes.get(name);
    if (files) files.push(index);
    else nodes.set(name, [index]);
  }
  const filesOf = [...nodes.values()];
  const nodeOf = new Array<number>(items.length);
  for (const [node, files] of filesOf.entries()) for (const index of files) nodeOf[index] = node;

  const best = new Map<number, Edge>();
  const link = (a: number, b: number, similarity: number) => {
    const key = edgeKey(a, b, filesOf.length);
    const edge = best.get(key);
    if (!edge) best.set(key, { a, b, similarity });
    else if (edge.similarity < similarity) edge.similarity = similarity;
  };
  for (let pair = 0; pair < pairs.left.length; pair++) {
    const left = pairs.left[pair] as number;
    const right = pairs.right[pair] as number;
    const a = nodeOf[left] as number;
    const b = nodeOf[right] as number;
    if (a === b || items[left]?.lowInformation || items[right]?.lowInformation) continue;
    link(a, b, pairs.similarity[pair] as number);
  }
  for (const parted of partedPictures(items, filesOf)) {
    for (const [position, a] of parted.entries()) for (const b of parted.slice(position + 1)) link(a, b, 1);
  }
  const hashesOf = filesOf.map((files) => [
    ...new Set(files.map((index) => items[index]?.contentHash as string)),
  ]);
  const edges = [...best.values()].filter(
    ({ a, b }) =>
      !different || !hashesOf[a]?.some((hashA) => hashesOf[b]?.some((hashB) => different(hashA, hashB))),
  );
  return { keys: filesOf.map((files) => keyOf(items, files[0] as number)), filesOf, nodeOf, edges };
}

/** The picture of every item: its pixels, or its bytes where a verdict parts files with the same pixels. */
function pictureNames(items: readonly DuplicateItem[], different: GroupOptions['different']): string[] {
  const pixelsOf = pixelsByContent(items);
  const contentsOf = new Map<string, string[]>();
  for (const [content, pixels] of pixelsOf) {
    const contents = contentsOf.get(pixels);
    if (contents) contents.push(content);
    else contentsOf.set(pixels, [content]);
  }
  const parted = new Set<string>();
  if (different) {
    for (const [pixels, contents] of contentsOf) {
      if (contents.some((a, position) => contents.slice(position + 1).some((b) => different(a, b))))
        parted.add(pixels);
    }
  }
  return items.map(({ contentHash }) => {
    const pixels = pixelsOf.get(contentHash);
    return pixels === undefined || parted.has(pixels) ? `bytes ${contentHash}` : `pixels ${pixels}`;
  });
}

/** The pixel hash of every content whose pixels are known. */
export function pixelsByContent(items: readonly DuplicateItem[]): Map<string, string> {
  const pixelsOf = new Map<string, string>();
  for (const item of items) if (item.pixelHash !== undefined) pixelsOf.set(item.contentHash, item.pixelHash);
  return pixelsOf;
}

/** Nodes that show the same pixels but were kept apart as nodes: lists of two and more. */
function partedPictures(items: readonly DuplicateItem[], filesOf: readonly number[][]): number[][] {
  const pixelsOf = pixelsByContent(items);
  const nodes = new Map<string, number[]>();
  for (const [node, files] of filesOf.entries()) {
    const pixels = pixelsOf.get(items[files[0] as number]?.contentHash as string);
    if (pixels === undefined) continue;
    const same = nodes.get(pixels);
    if (same) same.push(node);
    else nodes.set(pixels, [node]);
  }
  return [...nodes.values()].filter((same) => same.length > 1);
}

function describeGroup(
  items: readonly DuplicateItem[],
  indices: readonly number[],
  facts: { similarity: (a: number, b: number) => number; weakest: DuplicateGroup['weakest'] },
): DuplicateGroup {
  const files = indices.map((index) => items[index] as DuplicateItem);
  const pixelsOf = pixelsByContent(files);
  const picture = (item: DuplicateItem) => pixelsOf.get(item.contentHash) ?? item.contentHash;
  const choice = chooseKeep(files, picture);
  const keep = indices[choice.keep] as number;
  const kept = items[keep] as DuplicateItem;
  const members = indices.map((index): DuplicateMember => {
    const item = items[index] as DuplicateItem;
    if (item.contentHash === kept.contentHash) return { index, kind: 'exact', similarity: 1 };
    if (picture(item) === picture(kept)) return { index, kind: 'pixels', similarity: 1 };
    return { index, kind: 'near', similarity: facts.similarity(keep, index) };
  });
  const kinds: readonly DuplicateKind[] = ['exact', 'pixels', 'near'];
  members.sort(
    (a, b) =>
      Number(b.index === keep) - Number(a.index === keep) ||
      kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
      b.similarity - a.similarity ||
      compareKeys(keyOf(items, a.index), keyOf(items, b.index)),
  );
  return { keep, reason: choice.reason, members, weakest: facts.weakest };
}

function keyOf(items: readonly DuplicateItem[], index: number): string {
  return items[index]?.key as string;
}

function edgeKey(a: number, b: number, count: number): number {
  return Math.min(a, b) * count + Math.max(a, b);
}
