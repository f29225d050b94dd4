import { LookalikeError } from '@lookalike/store';
import { type AnimationCourse, animationCourse, runAlike } from './animations.ts';
import { completeLinkClusters, type Edge } from './complete-link.ts';
import { compareKeys, type DuplicateItem, type DuplicateKind, isAnimated } from './duplicate-item.ts';
import { chooseKeep } from './keep-choice.ts';
import type { SimilarPairs } from './similar-pairs.ts';

/** What perceptual hashes say of the items. */
export interface HashAgreement {
  /** Pairs whose hashes agree, with the similarity of their embeddings, whatever it is: see `findNearPairs`. */
  pairs: SimilarPairs;
  /** Of the embeddings of any two items. */
  similarity: (a: number, b: number) => number;
}

export interface GroupOptions {
  /** Items whose hashes agree are near-duplicates, and stand for each other in what is alike to them. */
  hashes?: HashAgreement;
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
  /** Of a `near` one: what made it one of the group. */
  by?: NearBy;
}

/**
 * `embedding`: it and the kept one are a pair by the similarity of their embeddings. `perceptual-hash`: they are not, but its hash
 * agrees with that of the kept one or of another of the group.
 */
export type NearBy = 'embedding' | 'perceptual-hash';

export interface DuplicateGroup {
  /** Index of the item proposed to be kept. */
  keep: number;
  /** Why that one, in words. */
  reason: string;
  /** All of the group: the kept one first, then the most alike first, ties by key. */
  members: DuplicateMember[];
  /** Of the pairs that hold the group together the least alike one (indices): what to look at where a group is in doubt. */
  weakest: { a: number; b: number; similarity: number };
}

/**
 * Groups of files that show the same picture. Files with the same bytes or pixels are always together (unless a verdict
 * parts the pixels). With `hashes`, pictures every two of which agree in their hashes stand together as one. Beyond that
 * every two pictures of a group are a pair of `pairs` (complete link): similarity is not carried over from one to the
 * next. Groups are in order of the kept one's key, and neither the groups nor what is in them depend on the order of items or
 * pairs.
 *
 * Pairs of low-information items are ignored, and no group has two animations that do not run alike (`runAlike`): embeddings and
 * perceptual hashes know their first frames only. The similarity of what stands together is the best of its files.
 *
 * @throws LookalikeError `duplicate-key` where two items have the same key.
 */
export function groupNearDuplicates(
  items: readonly DuplicateItem[],
  pairs: SimilarPairs,
  options: GroupOptions = {},
): DuplicateGroup[] {
  const pictures = pictureNames(items, options.different);
  const { names, weakestOf } = lookNames(items, pictures, options);
  const graph = lookGraph(items, names, pairs, options.different);
  const relations = new Relations(items, pictures, pairs, options.hashes);
  const clusters = completeLinkClusters(graph.keys, graph.edges);
  const clustered = new Set(clusters.flatMap((cluster) => cluster.nodes));

  const groups: DuplicateGroup[] = clusters.map(({ nodes, weakest }) => {
    const within = nodes.flatMap((node) => weakestOf.get(graph.names[node] as string) ?? []);
    return describeGroup(
      items,
      nodes.flatMap((node) => graph.filesOf[node] as number[]),
      relations,
      [linkOf(weakest), ...within],
    );
  });
  for (const [node, files] of graph.filesOf.entries()) {
    if (files.length < 2 || clustered.has(node)) continue;
    const [a, b] = files as [number, number];
    const weakest = weakestOf.get(graph.names[node] as string) ?? { a, b, similarity: 1 };
    groups.push(describeGroup(items, files, relations, [weakest]));
  }
  return groups.sort((a, b) => compareKeys(keyOf(items, a.keep), keyOf(items, b.keep)));
}

type WeakestPair = DuplicateGroup['weakest'];

interface LookGraph {
  /** Of every node. */
  names: string[];
  /** Of every node: the first key of its files. */
  keys: string[];
  /** Of every node: its files (item indices), ascending by key. */
  filesOf: number[][];
  edges: LookEdge[];
}

interface LookEdge extends Edge {
  /** Those whose similarity it is: one of node `a` and one of `b`, or the other way round. */
  files: [number, number];
}

function linkOf({ files: [a, b], similarity }: LookEdge): WeakestPair {
  return { a, b, similarity };
}

/** One node a name, one edge a pair of them that may be put together. */
function lookGraph(
  items: readonly DuplicateItem[],
  nameOf: readonly string[],
  pairs: SimilarPairs,
  different: GroupOptions['different'],
): LookGraph {
  const order = [...items.keys()].sort((a, b) => compareKeys(keyOf(items, a), keyOf(items, b)));
  const nodes = new Map<string, number[]>();
  for (const [position, index] of order.entries()) {
    if (position > 0 && keyOf(items, index) === keyOf(items, order[position - 1] as number))
      throw new LookalikeError('duplicate-key', `two items have the key ${keyOf(items, index)}`);
    const name = nameOf[index] as string;
    const files = nodes.get(name);
    if (files) files.push(index);
    else nodes.set(name, [index]);
  }
  const filesOf = [...nodes.values()];
  const nodeOf = new Array<number>(items.length);
  for (const [node, files] of filesOf.entries()) for (const index of files) nodeOf[index] = node;

  const best = new Map<number, LookEdge>();
  const link = (left: number, right: number, similarity: number) => {
    const a = nodeOf[left] as number;
    const b = nodeOf[right] as number;
    if (a === b) return;
    const key = edgeKey(a, b, filesOf.length);
    const edge = best.get(key);
    if (edge && !isBetter(items, edge, left, right, similarity)) return;
    best.set(key, { a, b, similarity, files: [left, right] });
  };
  for (const [left, right, similarity] of informativePairs(items, pairs)) link(left, right, similarity);
  for (const parted of partedPictures(items, filesOf)) {
    for (const [position, a] of parted.entries())
      for (const b of parted.slice(position + 1))
        link((filesOf[a] as number[])[0] as number, (filesOf[b] as number[])[0] as number, 1);
  }
  const isAllowed = verdictsOn(items, filesOf, different);
  const isPossible = animationsApart(items, filesOf);
  const edges = [...best.values()].filter(({ a, b }) => isAllowed(a, b) && isPossible(a, b));
  return {
    names: [...nodes.keys()],
    keys: filesOf.map((files) => keyOf(items, files[0] as number)),
    filesOf,
    edges,
  };
}

/** More alike; of two that are equally alike the first by key, so that the order of pairs does not matter. */
function isBetter(
  items: readonly DuplicateItem[],
  edge: LookEdge,
  left: number,
  right: number,
  similarity: number,
): boolean {
  if (similarity !== edge.similarity) return similarity > edge.similarity;
  const place = (a: number, b: number) => [keyOf(items, a), keyOf(items, b)].sort(compareKeys).join('\n');
  return compareKeys(place(left, right), place(...edge.files)) < 0;
}

function* informativePairs(
  items: readonly DuplicateItem[],
  { left, right, similarity }: SimilarPairs,
): Generator<[number, number, number]> {
  for (let pair = 0; pair < left.length; pair++) {
    const a = left[pair] as number;
    const b = right[pair] as number;
    if (!items[a]?.lowInformation && !items[b]?.lowInformation) yield [a, b, similarity[pair] as number];
  }
}

/** Whether no verdict parts any file of one node from any of another. */
function verdictsOn(
  items: readonly DuplicateItem[],
  filesOf: readonly (readonly number[])[],
  different: GroupOptions['different'],
): (a: number, b: number) => boolean {
  if (!different) return () => true;
  const hashesOf = filesOf.map((files) => [
    ...new Set(files.map((index) => items[index]?.contentHash as string)),
  ]);
  return (a, b) => !hashesOf[a]?.some((hashA) => hashesOf[b]?.some((hashB) => different(hashA, hashB)));
}

/** Whether two nodes may be put together for all that is in them of animations and of files of several pages: none that go on differently. */
function animationsApart(
  items: readonly DuplicateItem[],
  filesOf: readonly (readonly number[])[],
): (a: number, b: number) => boolean {
  const shown = contentShown(items);
  /** By node, of each content in it; none of a node without animations, as nearly all are. */
  const animations = filesOf.map((files) => {
    const courses = new Map<string, AnimationCourse>();
    for (const item of files.map((index) => items[index] as DuplicateItem).filter(isAnimated))
      if (!courses.get(shown(item))?.places.length) courses.set(shown(item), animationCourse(item));
    return courses.size > 0 ? [...courses] : undefined;
  });
  return (a, b) => {
    const [ofA, ofB] = [animations[a], animations[b]];
    if (!ofA || !ofB) return true;
    return ofA.every(([one, course]) =>
      ofB.every(([other, otherCourse]) => one === other || runAlike(course, otherCourse)),
    );
  };
}

/**
 * The name of what every item stands together with: its picture, or all pictures every two of which agree in their hashes
 * (complete link, so that agreement is not carried over), with the least alike pair of those.
 */
function lookNames(
  items: readonly DuplicateItem[],
  pictures: readonly string[],
  { hashes, different }: GroupOptions,
): { names: readonly string[]; weakestOf: Map<string, WeakestPair> } {
  const weakestOf = new Map<string, WeakestPair>();
  if (!hashes) return { names: pictures, weakestOf };
  const graph = lookGraph(items, pictures, hashes.pairs, different);
  const lookOf = new Map<string, string>();
  for (const { nodes, weakest } of completeLinkClusters(graph.keys, graph.edges)) {
    const name = `look ${graph.keys[nodes[0] as number]}`;
    for (const node of nodes) lookOf.set(graph.names[node] as string, name);
    weakestOf.set(name, linkOf(weakest));
  }
  return { names: pictures.map((picture) => lookOf.get(picture) ?? picture), weakestOf };
}

/** How any two items of a group relate by their embeddings. */
class Relations {
  /** Of every item the number of its picture. */
  readonly #pictures: Uint32Array;
  readonly #count: number;
  readonly #hashes: HashAgreement | undefined;
  /** Of two pictures, the best of their files. */
  readonly #similarities = new Map<number, number>();

  constructor(
    items: readonly DuplicateItem[],
    pictures: readonly string[],
    pairs: SimilarPairs,
    hashes: HashAgreement | undefined,
  ) {
    const numbers = new Map([...new Set(pictures)].map((picture, number) => [picture, number]));
    this.#pictures = Uint32Array.from(pictures, (picture) => numbers.get(picture) as number);
    this.#count = numbers.size;
    this.#hashes = hashes;
    for (const [a, b, similarity] of informativePairs(items, pairs)) {
      const key = this.#key(a, b);
      this.#similarities.set(key, Math.max(similarity, this.#similarities.get(key) ?? 0));
    }
  }

  near(kept: number, index: number): Required<Pick<DuplicateMember, 'similarity' | 'by'>> {
    const similarity = this.#similarities.get(this.#key(kept, index));
    if (similarity !== undefined) return { similarity, by: 'embedding' };
    // Without hashes the links of a group are all there are, and all are known.
    return { similarity: this.#hashes?.similarity(kept, index) ?? 1, by: 'perceptual-hash' };
  }

  #key(a: number, b: number): number {
    return edgeKey(this.#pictures[a] as number, this.#pictures[b] as number, this.#count);
  }
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

/** What tells an item's picture from others: its pixels where they are known, else its bytes. */
function contentShown(items: readonly DuplicateItem[]): (item: DuplicateItem) => string {
  const pixelsOf = pixelsByContent(items);
  return ({ contentHash }) => pixelsOf.get(contentHash) ?? contentHash;
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
  relations: Relations,
  links: readonly WeakestPair[],
): DuplicateGroup {
  const files = indices.map((index) => items[index] as DuplicateItem);
  const picture = contentShown(files);
  const choice = chooseKeep(files, picture);
  const keep = indices[choice.keep] as number;
  const kept = items[keep] as DuplicateItem;
  const members = indices.map((index): DuplicateMember => {
    const item = items[index] as DuplicateItem;
    if (item.contentHash === kept.contentHash) return { index, kind: 'exact', similarity: 1 };
    if (picture(item) === picture(kept)) return { index, kind: 'pixels', similarity: 1 };
    return { index, kind: 'near', ...relations.near(keep, index) };
  });
  const kinds: readonly DuplicateKind[] = ['exact', 'pixels', 'near'];
  members.sort(
    (a, b) =>
      Number(b.index === keep) - Number(a.index === keep) ||
      kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
      b.similarity - a.similarity ||
      compareKeys(keyOf(items, a.index), keyOf(items, b.index)),
  );
  const weakest = links.reduce((least, link) => (link.similarity < least.similarity ? link : least));
  return { keep, reason: choice.reason, members, weakest };
}

function keyOf(items: readonly DuplicateItem[], index: number): string {
  return items[index]?.key as string;
}

function edgeKey(a: number, b: number, count: number): number {
  return Math.min(a, b) * count + Math.max(a, b);
}
