import { createHash } from 'node:crypto';
import type { SimilarPairs } from './similar-pairs.ts';

/** Where what one search found is kept for the next: one object of bytes, replaced as a whole. */
export interface LedgerStore {
  /** `undefined` where there is none. */
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

/** Rows that were all compared with each other, and the pairs among them. */
export interface PairLedger {
  /** Every pair at least this similar is in it. */
  minSimilarity: number;
  /** Of each row: see `rowDigest`. */
  digests: string[];
  /** By position in `digests`. */
  pairs: SimilarPairs;
  /** See `FoundPairs`. */
  complete: boolean;
  recall: number;
}

interface Header extends Pick<PairLedger, 'minSimilarity' | 'complete' | 'recall'> {
  format: typeof FORMAT;
  rows: number;
  pairs: number;
  /** Of what follows. */
  sha256: string;
}

const FORMAT = 1;
const DIGEST_BYTES = 16;
const PAIR_BYTES = 12;

/** 128 bits of a SHA-256 in base64: what a row is known by in a ledger, whatever the length of its key. */
export function rowDigest(key: string): string {
  return createHash('sha256').update(key).digest().subarray(0, DIGEST_BYTES).toString('base64');
}

/** A line of JSON, then the digests, then the columns of the pairs in little-endian order. */
export function encodeLedger({ minSimilarity, digests, pairs, complete, recall }: PairLedger): Uint8Array {
  const count = pairs.left.length;
  const body = Buffer.alloc(digests.length * DIGEST_BYTES + count * PAIR_BYTES);
  let at = 0;
  for (const digest of digests) at += body.write(digest, at, 'base64');
  for (let pair = 0; pair < count; pair++) {
    body.writeUInt32LE(pairs.left[pair] as number, at);
    body.writeUInt32LE(pairs.right[pair] as number, at + 4);
    body.writeFloatLE(pairs.similarity[pair] as number, at + 8);
    at += PAIR_BYTES;
  }
  const header: Header = {
    format: FORMAT,
    minSimilarity,
    complete,
    recall,
    rows: digests.length,
    pairs: count,
    sha256: sha256(body),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

/** `undefined` for what is damaged or of another release: it can be made again. */
export function decodeLedger(bytes: Uint8Array): PairLedger | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(0x0a);
  const header = headerOf(buffer.toString('utf8', 0, Math.max(0, end)));
  const body = buffer.subarray(end + 1);
  if (header?.format !== FORMAT || sha256(body) !== header.sha256) return undefined;
  const { minSimilarity, complete, recall, rows } = header;
  const digests = Array.from({ length: rows }, (_, row) =>
    body.toString('base64', row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES),
  );
  const pairs: SimilarPairs = {
    left: new Uint32Array(header.pairs),
    right: new Uint32Array(header.pairs),
    similarity: new Float32Array(header.pairs),
  };
  let at = rows * DIGEST_BYTES;
  for (let pair = 0; pair < header.pairs; pair++) {
    pairs.left[pair] = body.readUInt32LE(at);
    pairs.right[pair] = body.readUInt32LE(at + 4);
    pairs.similarity[pair] = body.readFloatLE(at + 8);
    at += PAIR_BYTES;
  }
  return { minSimilarity, complete, recall, digests, pairs };
}

function headerOf(text: string): Header | undefined {
  try {
    return JSON.parse(text) as Header;
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
