import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { LookalikeError } from '@lookalike/store';
import type { Metric } from './engine.ts';

/**
 * The port in front of the graph library: rows are numbered from 0 in the order added, and nothing reaches the library
 * unchecked, because it ends the process or answers wrongly on bad input (a damaged file, a number that is none).
 */
export interface Graph {
  readonly count: number;
  /** In memory, roughly. */
  readonly bytes: number;
  /** Rows near `vector`, nearest first, at most `limit`: the best of `ef` candidates. */
  search(vector: Float32Array, ef: number, limit: number): number[];
}

/** Fixed memory of an hnswlib index, besides its rows. */
const fixedBytes = 2.5e6;
/** Bytes at the beginning of an hnswlib file, before its rows. */
export const fileHeaderBytes = 96;

/** l1 neighbours are looked for by l2; cosine ones by the inner product of normalised vectors. */
export function spaceOf(metric: Metric): 'l2' | 'ip' {
  return metric === 'cosine' ? 'ip' : 'l2';
}

/** Whether there is a graph library on this machine. Where there is none, searches scan. */
export async function hasGraphLibrary(): Promise<boolean> {
  return (await import('@lookalike/hnsw')).hnswBuild !== undefined;
}

/**
 * Loads a file whose checksum the caller has found right; throws `damaged-object` where it is not of these rows.
 */
export async function loadGraph(
  path: string,
  expected: { metric: Metric; dimension: number; count: number },
): Promise<Graph> {
  const { metric, dimension, count } = expected;
  const damaged = (problem: string) => new LookalikeError('damaged-object', `graph ${path}: ${problem}`);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < fileHeaderBytes) throw damaged(`${size} bytes are too few`);
  const header = readHeader(path);
  if (header.dimension !== dimension) throw damaged(`dimension ${header.dimension}, expected ${dimension}`);
  if (header.count !== count) throw damaged(`${header.count} rows, expected ${count}`);
  if (size < header.leastBytes) throw damaged(`${size} bytes, expected at least ${header.leastBytes}`);
  const { HierarchicalNSW } = await import('@lookalike/hnsw');
  // A fresh object for every read: after a failed one the library crashes on the next search.
  const index = new HierarchicalNSW(spaceOf(metric), dimension);
  await index.readIndex(path);
  const point = new Array<number>(dimension).fill(0);
  let ef = 0;
  return {
    count,
    bytes: size + fixedBytes,
    search(vector, wanted, limit) {
      const query = prepare(metric, vector, point);
      if (!Number.isInteger(wanted) || wanted < 1) throw new RangeError(`ef ${wanted}`);
      if (wanted !== ef) {
        ef = wanted;
        index.setEf(ef);
      }
      return index.searchKnn(query, Math.min(wanted, limit, count)).neighbors;
    },
  };
}

/** Writes to `point`, which is as long as it must be and used again, what the library is given for `vector`. */
export function prepare(metric: Metric, vector: Float32Array, point: number[]): number[] {
  if (vector.length !== point.length)
    throw new RangeError(`${vector.length} numbers, expected ${point.length}`);
  let sum = 0;
  for (let i = 0; i < point.length; i++) {
    const value = vector[i] as number;
    point[i] = value;
    sum += value * value;
  }
  // Also catches NaN and infinities.
  if (!(sum < Number.POSITIVE_INFINITY)) throw new RangeError('vector is not finite');
  if (metric === 'cosine') {
    if (sum === 0) throw new RangeError('a zero vector has no direction');
    const length = Math.sqrt(sum);
    for (let i = 0; i < point.length; i++) point[i] = (point[i] as number) / length;
  }
  return point;
}

/** The head of an hnswlib 0.8 file: size_t offsetLevel0, maxElements, count, bytes a row, label and data offset. */
export function readHeader(path: string): { count: number; dimension: number; leastBytes: number } {
  const bytes = Buffer.alloc(fileHeaderBytes);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, fileHeaderBytes, 0);
  } finally {
    closeSync(file);
  }
  const at = (index: number) => Number(bytes.readBigUInt64LE(index * 8));
  const [count, rowBytes, labelOffset, dataOffset] = [at(2), at(3), at(4), at(5)] as const;
  return { count, dimension: (labelOffset - dataOffset) / 4, leastBytes: fileHeaderBytes + count * rowBytes };
}
