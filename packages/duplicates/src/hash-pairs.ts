import { setImmediate } from 'node:timers/promises';
import { LookalikeError } from '@lookalike/store';

/** Bits of 64 in which two perceptual hashes may differ and still count as the same picture. */
export const MOST_HASH_BITS = 4;

/**
 * Two hashes that differ in at most 4 bits agree in at least one of 5 parts of the 64 (pigeonhole), so only hashes that share
 * a part are compared. First bit and length of each.
 */
const PARTS = [
  { from: 0, length: 13 },
  { from: 13, length: 13 },
  { from: 26, length: 13 },
  { from: 39, length: 13 },
  { from: 52, length: 12 },
] as const;

const DEFAULT_MAX_PAIRS = 20_000_000;
const HASHES_BETWEEN_LOOKS = 256;
const MILLISECONDS_BETWEEN_PAUSES = 30;

export interface HashPairsOptions {
  /** Pair only rows before `boundary` with rows from it on. */
  boundary?: number;
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
 * All pairs of rows whose perceptual hashes (16 hex digits) differ in at most 4 bits; `undefined` pairs with nothing. Rows
 * of one hash are looked up once, so that a thousand copies cost no more than one until their pairs are listed.
 * @throws LookalikeError `too-many-pairs`, `invalid-hash`; the signal's reason where it is aborted.
 */
export async function findHashPairs(
  hashes: readonly (string | undefined)[],
  options: HashPairsOptions = {},
): Promise<RowPairs> {
  const rowsOf = new Map<string, number[]>();
  for (const [row, hash] of hashes.entries()) {
    if (hash === undefined) continue;
    if (!/^[0-9a-f]{16}$/.test(hash))
      throw new LookalikeError('invalid-hash', `perceptual hash ${row} is ${hash}, expected 16 hex digits`);
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

  const names = [...rowsOf.keys()];
  const high = Uint32Array.from(names, (hash) => Number.parseInt(hash.slice(0, 8), 16));
  const low = Uint32Array.from(names, (hash) => Number.parseInt(hash.slice(8), 16));
  let pausedAt = performance.now();
  for (const [number, part] of PARTS.entries()) {
    const buckets = new Map<number, number[]>();
    for (let one = 0; one < names.length; one++) {
      const value = partOf(high[one] as number, low[one] as number, part);
      const bucket = buckets.get(value);
      for (const other of bucket ?? []) {
        const highBits = ((high[one] as number) ^ (high[other] as number)) >>> 0;
        const lowBits = ((low[one] as number) ^ (low[other] as number)) >>> 0;
        if (bitCount(highBits) + bitCount(lowBits) > MOST_HASH_BITS) continue;
        // Met already where an earlier part is the same.
        if (PARTS.slice(0, number).some((earlier) => partOf(highBits, lowBits, earlier) === 0)) continue;
        for (const a of groups[one] as number[]) for (const b of groups[other] as number[]) add(a, b);
      }
      if (bucket) bucket.push(one);
      else buckets.set(value, [one]);
      if (one % HASHES_BETWEEN_LOOKS === 0 && performance.now() - pausedAt > MILLISECONDS_BETWEEN_PAUSES) {
        options.signal?.throwIfAborted();
        await setImmediate();
        pausedAt = performance.now();
      }
    }
  }
  return { left: Uint32Array.from(left), right: Uint32Array.from(right) };
}

/** Bits `from` to `from + length` of the 64, counted from the most significant one. */
function partOf(high: number, low: number, { from, length }: { from: number; length: number }): number {
  const end = from + length;
  if (end <= 32) return (high >>> (32 - end)) & ((1 << length) - 1);
  const lowPart = (low >>> (64 - end)) & ((1 << Math.min(length, end - 32)) - 1);
  if (from >= 32) return lowPart;
  return ((high & ((1 << (32 - from)) - 1)) << (end - 32)) | lowPart;
}

/** Of 32 bits, in parallel (Warren, "Hacker's Delight", 5-1). */
function bitCount(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
