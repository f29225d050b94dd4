import { setImmediate } from 'node:timers/promises';
import { LookalikeError } from '@lookalike/store';
import { DEFAULT_EXACT_UP_TO } from './find-pairs.ts';
import { openJoinModule } from './join-module.ts';

/**
 * Bits of 256 in which two perceptual hashes may differ and still count as the same picture. Of unrelated photographs none come so
 * near (`npm run bench:hash`), but different things photographed from one side on white do.
 */
export const MOST_HASH_BITS = 63;
/** The same where being wrong costs more than missing a copy: what PDQ recommends. */
export const SURE_HASH_BITS = 31;
/** The same where there are so many hashes that not every two are compared. */
export const MOST_HASH_BITS_OF_MANY = 15;

/** Of 32 bits. */
const WORDS = 8;
const HASH_BYTES = 4 * WORDS;
const PAIR_BYTES = 8;
/** Hashes that are compared with all at a time: about a millisecond. */
const HASHES_A_BLOCK = 16;
/** Two hashes that differ in at most 15 bits agree in at least one of 16 parts (pigeonhole). */
const PARTS = 16;
const PART_VALUES = 65_536;
const NONE = -1;

const DEFAULT_MAX_PAIRS = 20_000_000;
const HASHES_BETWEEN_LOOKS = 256;
const MILLISECONDS_BETWEEN_PAUSES = 30;

export interface HashPairsOptions {
  /** Pair only rows before `boundary` with rows from it on. */
  boundary?: number;
  /** Bits in which two hashes may differ, at least 15; default 63. */
  mostBits?: number;
  /** Up to this many different hashes every two are compared. Default 50,000. */
  exactUpTo?: number;
  /** Refuse to collect more than this; default 20 million. */
  maxPairs?: number;
  signal?: AbortSignal;
}

/** Pairs of rows, `left[p] < right[p]`. */
export interface RowPairs {
  left: Uint32Array;
  right: Uint32Array;
}

/**
 * All pairs of rows whose perceptual hashes (64 hex digits) differ in at most `mostBits`; `undefined` pairs with nothing. Of more
 * than `exactUpTo` different hashes it is 15 bits: unrelated pairs, and the time to compare all, grow with the square of
 * their number. Rows of one hash are looked up once, so that a thousand copies cost no more than one until their pairs are listed.
 * @throws LookalikeError `too-many-pairs`, `invalid-hash`; the signal's reason where it is aborted.
 */
export async function findHashPairs(
  hashes: readonly (string | undefined)[],
  options: HashPairsOptions = {},
): Promise<RowPairs> {
  const rowsOf = new Map<string, number[]>();
  for (const [row, hash] of hashes.entries()) {
    if (hash === undefined) continue;
    if (!/^[0-9a-f]{64}$/.test(hash))
      throw new LookalikeError('invalid-hash', `perceptual hash ${row} is ${hash}, expected 64 hex digits`);
    const rows = rowsOf.get(hash);
    if (rows) rows.push(row);
    else rowsOf.set(hash, [row]);
  }
  const left: number[] = [];
  const right: number[] = [];
  const limit = options.maxPairs ?? DEFAULT_MAX_PAIRS;
  const { boundary } = options;
  const add = (a: number, b: number) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    if (boundary !== undefined && (low >= boundary || high < boundary)) return;
    if (left.length >= limit)
      throw new LookalikeError(
        'too-many-pairs',
        `more than ${limit} pairs have nearly the same perceptual hash`,
      );
    left.push(low);
    right.push(high);
  };

  const groups = [...rowsOf.values()];
  for (const rows of groups)
    for (const [position, a] of rows.entries())
      for (let other = position + 1; other < rows.length; other++) add(a, rows[other] as number);

  const hashesOf = wordsOf([...rowsOf.keys()]);
  const { exactUpTo = DEFAULT_EXACT_UP_TO, mostBits = MOST_HASH_BITS } = options;
  const agreeing = groups.length > exactUpTo ? agreeingParts(hashesOf) : agreeingHashes(hashesOf, mostBits);
  let pausedAt = performance.now();
  for (const pairs of agreeing) {
    for (const [one, other] of pairs)
      for (const a of groups[one] as number[]) for (const b of groups[other] as number[]) add(a, b);
    if (performance.now() - pausedAt < MILLISECONDS_BETWEEN_PAUSES) continue;
    options.signal?.throwIfAborted();
    await setImmediate();
    pausedAt = performance.now();
  }
  return { left: Uint32Array.from(left), right: Uint32Array.from(right) };
}

/** [hash][word] */
export function wordsOf(hashes: readonly string[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(hashes.length * WORDS);
  for (const [number, hash] of hashes.entries())
    for (let word = 0; word < WORDS; word++)
      words[number * WORDS + word] = Number.parseInt(hash.slice(8 * word, 8 * word + 8), 16);
  return words;
}

/** Pairs of hashes that differ in at most `mostBits`, some at a time: every two are compared, in WebAssembly. */
function* agreeingHashes(words: Uint32Array, mostBits: number): Generator<[number, number][]> {
  const count = words.length / WORDS;
  const out = count * HASH_BYTES;
  const { buffer, functions } = openJoinModule(out + HASHES_A_BLOCK * count * PAIR_BYTES);
  new Uint32Array(buffer).set(words);
  for (let start = 0; start < count; start += HASHES_A_BLOCK) {
    const end = Math.min(count, start + HASHES_A_BLOCK);
    const found = functions.joinHashes(0, start, end, count, mostBits, out);
    const rows = new Uint32Array(buffer, out, 2 * found);
    yield Array.from({ length: found }, (_, pair) => [
      rows[2 * pair] as number,
      rows[2 * pair + 1] as number,
    ]);
  }
}

/** Pairs of hashes that differ in at most 15 bits, some at a time: only those are compared of which a part is the same. */
function* agreeingParts(words: Uint32Array<ArrayBuffer>): Generator<[number, number][]> {
  const count = words.length / WORDS;
  const parts = new Uint16Array(words.buffer);
  // Of a part, for every value the last hash that has it, and before each hash the one before it.
  const last = new Int32Array(PART_VALUES);
  const before = new Int32Array(count);
  for (let part = 0; part < PARTS; part++) {
    last.fill(NONE);
    let pairs: [number, number][] = [];
    for (let one = 0; one < count; one++) {
      const value = parts[one * PARTS + part] as number;
      for (let other = last[value] as number; other !== NONE; other = before[other] as number)
        if (agreeInFew(words, one, other) && !agreeBefore(parts, one, other, part)) pairs.push([other, one]);
      before[one] = last[value] as number;
      last[value] = one;
      if (one % HASHES_BETWEEN_LOOKS) continue;
      yield pairs;
      pairs = [];
    }
    yield pairs;
  }
}

function agreeInFew(words: Uint32Array, a: number, b: number): boolean {
  let different = 0;
  for (let word = 0; word < WORDS; word++) {
    different += bitCount((words[a * WORDS + word] as number) ^ (words[b * WORDS + word] as number));
    if (different > MOST_HASH_BITS_OF_MANY) return false;
  }
  return true;
}

/** Whether an earlier part has brought the two together already. */
function agreeBefore(parts: Uint16Array, a: number, b: number, part: number): boolean {
  for (let earlier = 0; earlier < part; earlier++)
    if (parts[a * PARTS + earlier] === parts[b * PARTS + earlier]) return true;
  return false;
}

/** Bits in which two perceptual hashes (64 hex digits) differ. */
export function hashesDiffer(a: string, b: string): number {
  return wordsDiffer(wordsOf([a]), wordsOf([b]));
}

/** The same of two hashes among those of `wordsOf`, by their numbers. */
export function wordsDiffer(a: Uint32Array, b: Uint32Array, numberInA = 0, numberInB = 0): number {
  let different = 0;
  for (let word = 0; word < WORDS; word++)
    different += bitCount((a[numberInA * WORDS + word] as number) ^ (b[numberInB * WORDS + word] as number));
  return different;
}

/** How many hashes there are in `wordsOf`. */
export function hashCount(words: Uint32Array): number {
  return words.length / WORDS;
}

/** Of 32 bits, in parallel (Warren, "Hacker's Delight", 5-1). */
function bitCount(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
