import { LookalikeError } from '@lookalike/store';
import { cosine, type EmbeddingTable, embeddingTable } from './embedding-table.ts';
import {
  type Comparison,
  DEFAULT_EXACT_UP_TO,
  type FindPairsOptions,
  type FoundPairs,
  findPairs,
  pairsCompared,
} from './find-pairs.ts';
import { findHashPairs } from './hash-pairs.ts';
import { withoutUnlikePages } from './page-pairs.ts';
import { decodeLedger, encodeLedger, type LedgerStore, type PairLedger, rowDigest } from './pair-ledger.ts';
import { type CalibratedThreshold, pairsFrom } from './precision-threshold.ts';
import { bestOfPairs, concatPairs, renamePairs, type SimilarPairs } from './similar-pairs.ts';

/** One picture, or several files with the same bytes. */
export interface PictureRow {
  /** Unique, and another one where the embedding is: what is known of a row from an earlier search is known by its key. */
  key: string;
  /** None: pairs with nothing. */
  embedding?: Float32Array | undefined;
  /** Blank or nearly so: pairs with nothing, as its embedding says little. */
  lowInformation?: boolean | undefined;
  /** 64 hex digits; none: of no use here. */
  perceptualHash?: string | undefined;
  /** Marks on an even ground: where hashes count, a pair with another one only where theirs agree, see `withoutUnlikePages`. */
  page?: boolean | undefined;
  /**
   * Embeddings of it mirrored and turned, as many for every row: other rows are compared with them as well. Two rows with t each are
   * compared in 1 + 2t ways, as each is turned against the other, and across a boundary in 1 + t; they are alike as in the best of them.
   */
  turned?: readonly Float32Array[] | undefined;
}

export interface NearPairsOptions extends Omit<FindPairsOptions, 'comparisons'> {
  dimension: number;
  /**
   * Perceptual hashes count: pictures of which they agree are pairs from this similarity on (see `leastHashSimilarity`), and two pages
   * are one only where they do. Missing: they do not count.
   */
  minHashSimilarity?: number | undefined;
  /** Bits in which perceptual hashes that agree may differ: see `findHashPairs`. */
  mostHashBits?: number;
  /** Compare only rows before `boundary` with rows from it on: the pictures of one folder with those of another. */
  boundary?: number;
  /** What earlier searches found: rows known there are not compared with each other again. Kept up to date. */
  ledger?: LedgerStore;
  /** After about so many pairs looked at the ledger is saved; default 150 million, some seconds: what an interruption costs. */
  pairsBetweenSaves?: number;
}

export interface NearPairs extends FoundPairs {
  /**
   * Pairs whose perceptual hashes agree (`findHashPairs`), from `minHashSimilarity` on, with the similarity of their embeddings;
   * some are in `pairs` as well.
   */
  hashPairs: SimilarPairs;
  /** Rows that an earlier search had compared with each other. */
  known: number;
}

const PAIRS_BETWEEN_SAVES = 150_000_000;

/**
 * All pairs of rows, as positions in `rows`, that are at least `minSimilarity` alike, and those with nearly the same perceptual
 * hash; of two pages only what `withoutUnlikePages` leaves. A search that goes on from a ledger compares new rows with all, and leaves
 * the ledger with all rows in it; an interrupted one leaves what it had done.
 *
 * @throws LookalikeError as `findPairs` and `findHashPairs`, and `duplicate-key` where two rows of one side have the same key.
 */
export async function findNearPairs(
  pictures: readonly PictureRow[],
  options: NearPairsOptions,
): Promise<NearPairs> {
  const { minSimilarity, minHashSimilarity, boundary = 0, ledger } = options;
  const rows = pictures.map((row): PictureRow => (row.lowInformation ? { key: row.key } : row));
  const digests = rows.map(({ key }, row) => rowDigest(row < boundary ? `own ${key}` : key));
  if (new Set(digests).size < digests.length)
    throw new LookalikeError('duplicate-key', 'two rows have the same key, expected each once');
  const bytes = await ledger?.load();
  let before = bytes && decodeLedger(bytes);
  if (before && before.minSimilarity > minSimilarity) before = undefined;
  const search = new ContinuedSearch(rows, digests, before, options);
  const found = await search.run().catch((error: unknown) => {
    // What was kept from a lower similarity on may be too much, where what was asked for is not.
    const isTooMuch = error instanceof LookalikeError && error.code === 'too-many-pairs';
    if (!isTooMuch || !before || before.minSimilarity === minSimilarity) throw error;
    return new ContinuedSearch(rows, digests, undefined, options).run();
  });
  const pairs = pairsFrom(found.pairs, minSimilarity);
  if (minHashSimilarity === undefined) return { ...found, pairs, hashPairs: concatPairs() };
  const hashPairs = pairsFrom(await agreeingPairs(rows, options), minHashSimilarity);
  return {
    ...found,
    pairs: withoutUnlikePages(pairs, rows),
    hashPairs: withoutUnlikePages(hashPairs, rows),
  };
}

/** Pairs whose perceptual hashes agree, with the similarity of their embeddings. */
async function agreeingPairs(
  rows: readonly PictureRow[],
  { boundary, exactUpTo, mostHashBits, signal }: NearPairsOptions,
): Promise<SimilarPairs> {
  const { left, right } = await findHashPairs(
    rows.map(({ embedding, perceptualHash }) => embedding && perceptualHash),
    {
      ...(boundary !== undefined && { boundary }),
      ...(exactUpTo !== undefined && { exactUpTo }),
      ...(mostHashBits !== undefined && { mostBits: mostHashBits }),
      ...(signal && { signal }),
    },
  );
  const similarity = Float32Array.from(left, (row, pair) =>
    cosine(rows[row]?.embedding ?? [], rows[right[pair] as number]?.embedding ?? []),
  );
  return { left, right, similarity };
}

/**
 * From which similarity on agreeing perceptual hashes are believed: the least one that a model was calibrated at. Pictures laid out
 * alike (things on a white page) can agree in their hashes and show other things; their embeddings are then as far apart
 * as those of strangers.
 */
export function leastHashSimilarity(calibration: readonly CalibratedThreshold[]): number {
  return Math.min(1, ...calibration.map(({ similarity }) => similarity));
}

/** The rows in the order in which they are compared: on each side the known ones, then the new ones. */
class ContinuedSearch {
  readonly #options: NearPairsOptions;
  readonly #before: PairLedger | undefined;
  readonly #digests: readonly string[];
  /** Position in the order -> row. */
  readonly #order: number[];
  /** Of the order: known rows, new rows, and where there are two sides the same of the second. */
  readonly #sections: readonly [number, number, number, number];
  readonly #rows: readonly PictureRow[];

  constructor(
    rows: readonly PictureRow[],
    digests: readonly string[],
    before: PairLedger | undefined,
    options: NearPairsOptions,
  ) {
    this.#rows = rows;
    this.#options = options;
    this.#before = before;
    this.#digests = digests;
    const seen = new Set(before?.digests);
    const { boundary = rows.length } = options;
    const sides = [[...rows.keys()].slice(0, boundary), [...rows.keys()].slice(boundary)].flatMap((side) => [
      side.filter((row) => seen.has(digests[row] as string)),
      side.filter((row) => !seen.has(digests[row] as string)),
    ]);
    this.#order = sides.flat();
    this.#sections = sides.map(({ length }) => length) as unknown as [number, number, number, number];
  }

  /** The level of the ledger: lower than what was asked for where an earlier search went lower, so that it stays whole. */
  get #level(): number {
    return this.#before?.minSimilarity ?? this.#options.minSimilarity;
  }

  async run(): Promise<Omit<NearPairs, 'hashPairs'>> {
    const { exactUpTo = DEFAULT_EXACT_UP_TO, boundary, ledger } = this.#options;
    const [knownA, newA, knownB, newB] = this.#sections;
    const carried = this.#carried();
    const known = knownA + knownB;
    const { complete = true, recall = 1 } = this.#before ?? {};
    if (newA + newB === 0) return { pairs: carried, complete, recall, compared: 0, known };

    const turns = this.#turns();
    const count = this.#order.length;
    const table = this.#table(turns);
    const isTooMuch = newA * (knownA + newA) > exactUpTo ** 2;
    if (boundary === undefined && turns === 0 && count > exactUpTo && isTooMuch) {
      const found = await findPairs(table, { ...this.#options, minSimilarity: this.#level });
      const pairs = renamePairs(found.pairs, (position) => this.#order[position] as number);
      await this.#save(ledger, count, pairs, found);
      return { ...found, pairs, known: 0 };
    }

    const chunks = boundary === undefined ? this.#chunks(knownA, count) : [{ from: knownA, to: count }];
    const comparisonsOf = ({ from, to }: { from: number; to: number }) =>
      boundary === undefined
        ? continuedComparisons(from, to, count, turns)
        : crossComparisons(this.#sections, turns);
    const work = chunks.map((chunk) => sumOf(comparisonsOf(chunk).map(pairsCompared)));
    const total = Math.max(1, sumOf(work));
    let pairs = carried;
    let compared = 0;
    for (const [number, chunk] of chunks.entries()) {
      const { onProgress } = this.#options;
      const found = await findPairs(table, {
        ...this.#options,
        minSimilarity: this.#level,
        comparisons: comparisonsOf(chunk),
        ...(onProgress && {
          onProgress: (share) => onProgress((compared + share * (work[number] as number)) / total),
        }),
      });
      compared += found.compared;
      pairs = concatPairs(pairs, this.#toRows(found.pairs, table, turns));
      await this.#save(ledger, chunk.to, pairs, { complete, recall });
    }
    // Rows that are gone leave the ledger with the next rows that come; on their own they cost nothing.
    return { pairs, complete, recall, compared, known };
  }

  /** Pairs of earlier searches whose rows are both still there. */
  #carried(): SimilarPairs {
    if (!this.#before) return concatPairs();
    const rowOf = new Map(this.#digests.map((digest, row) => [digest, row]));
    const { digests, pairs } = this.#before;
    return renamePairs(pairs, (position) => rowOf.get(digests[position] as string));
  }

  #turns(): number {
    return Math.max(0, ...this.#rows.map(({ turned }) => turned?.length ?? 0));
  }

  /** Rows in order, then all the turned ones of each. */
  #table(turns: number): EmbeddingTable {
    const inOrder = this.#order.map((row) => this.#rows[row] as PictureRow);
    const none = Array.from({ length: turns }, () => undefined);
    return embeddingTable(
      [
        ...inOrder.map(({ embedding }) => embedding),
        ...(turns === 0
          ? []
          : inOrder.flatMap(({ turned }): readonly (Float32Array | undefined)[] => turned ?? none)),
      ],
      this.#options.dimension,
    );
  }

  /** The rows from `from` on, in parts of about the work between two saves: comparing a part with all before it. */
  #chunks(from: number, count: number): { from: number; to: number }[] {
    const { pairsBetweenSaves = PAIRS_BETWEEN_SAVES } = this.#options;
    const chunks: { from: number; to: number }[] = [];
    for (let start = from; start < count; ) {
      const end = Math.max(start + 1, Math.floor(Math.sqrt(start ** 2 + 2 * pairsBetweenSaves)));
      chunks.push({ from: start, to: Math.min(count, end) });
      start = end;
    }
    return chunks;
  }

  /**
   * Table positions become rows; the pair of a row and one turned is that of their rows, and none with itself. Two rows are alike
   * in many of the ways to turn them, and one pair. All those ways are compared in one go: no later one finds the pair again.
   */
  #toRows(pairs: SimilarPairs, table: EmbeddingTable, turns: number): SimilarPairs {
    const count = this.#order.length;
    if (table.count === count) return renamePairs(pairs, (position) => this.#order[position] as number);
    return bestOfPairs(
      renamePairs(
        pairs,
        (position) =>
          this.#order[position < count ? position : Math.floor((position - count) / turns)] as number,
      ),
    );
  }

  async #save(
    ledger: LedgerStore | undefined,
    upTo: number,
    pairs: SimilarPairs,
    { complete, recall }: Pick<PairLedger, 'complete' | 'recall'>,
  ): Promise<void> {
    if (!ledger) return;
    const positionOf = new Map(this.#order.slice(0, upTo).map((row, position) => [row, position]));
    await ledger.save(
      encodeLedger({
        minSimilarity: this.#level,
        digests: this.#order.slice(0, upTo).map((row) => this.#digests[row] as string),
        pairs: renamePairs(pairs, (row) => positionOf.get(row)),
        complete,
        recall,
      }),
    );
  }
}

/** Of `count` rows those from `from` to `to` with all before `to`; behind the rows `turns` turned ones of each. */
function continuedComparisons(from: number, to: number, count: number, turns: number): Comparison[] {
  const fresh = { start: from, end: to };
  const older = { start: 0, end: from };
  const turned = (range: { start: number; end: number }) => ({
    start: count + range.start * turns,
    end: count + range.end * turns,
  });
  return [
    { left: fresh, right: fresh },
    ...(from > 0 ? [{ left: older, right: fresh }] : []),
    ...(turns > 0
      ? [
          { left: { start: 0, end: to }, right: turned(fresh) },
          ...(from > 0 ? [{ left: fresh, right: turned(older) }] : []),
        ]
      : []),
  ];
}

/** Of two sides, each known rows and then new ones: new ones with all of the other side. Turned are those of the second side. */
function crossComparisons(
  [knownA, newA, knownB, newB]: readonly [number, number, number, number],
  turns: number,
): Comparison[] {
  const split = knownA + newA;
  const count = split + knownB + newB;
  const freshA = { start: knownA, end: split };
  const olderA = { start: 0, end: knownA };
  const allB = { start: split, end: count };
  const freshB = { start: split + knownB, end: count };
  const turned = (range: { start: number; end: number }) => ({
    start: count + range.start * turns,
    end: count + range.end * turns,
  });
  const upright = [
    { left: freshA, right: allB },
    { left: olderA, right: freshB },
  ];
  return (
    turns === 0
      ? upright
      : [...upright, ...upright.map(({ left, right }) => ({ left, right: turned(right) }))]
  ).filter(({ left, right }) => left.end > left.start && right.end > right.start);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
