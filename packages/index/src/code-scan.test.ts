import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { compileKernel } from '../kernel/compile.ts';
import { allBits, emptyBits, setBit } from './bits.ts';
import { CoarseCodeBuilder } from './coarse-codes.ts';
import { CodeFile } from './code-file.ts';
import { type CodeKind, largestQueryCode, scoreOf } from './code-scan.ts';
import { CodeBuilder, codeStride, largestCode, quantize } from './codes.ts';
import { distance } from './distance.ts';
import { kernelModule } from './kernel-module.ts';
import { randomNumbers } from './random.ts';

const same = (value: number) => value;

function randomVectors(count: number, dimension: number, seed: number, spread = 1): Float32Array[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    const size = spread ** (random() * 2 - 1);
    return Float32Array.from({ length: dimension }, () => (random() * 2 - 1) * size);
  });
}

function fileOf(kind: CodeKind, metric: 'cosine' | 'l2', vectors: readonly Float32Array[]): CodeFile {
  const dimension = (vectors[0] as Float32Array).length;
  const Builder = kind === 'int8' ? CodeBuilder : CoarseCodeBuilder;
  const builder = new Builder(metric, dimension, vectors.length);
  for (const vector of vectors) builder.add(vector);
  const bytes = builder.encode();
  const file = new CodeFile(kind, vectors.length, dimension, bytes.length);
  file.bytes.set(bytes);
  expect(file.open('object')).toBe(true);
  return file;
}

/** What the kernel computes, as a plain loop. */
function plainScore(metric: 'cosine' | 'l2', query: Float32Array, vector: Float32Array): number {
  const stride = codeStride(query.length);
  const [q, v] = [new Int16Array(stride), new Int8Array(stride)];
  const coded = quantize(metric, query, q.subarray(0, query.length), largestQueryCode, same);
  const stored = quantize(metric, vector, v.subarray(0, vector.length), largestCode, Math.fround);
  let dot = 0;
  for (let i = 0; i < stride; i++) dot += (q[i] as number) * (v[i] as number);
  const factor = metric === 'cosine' ? 1 : 2;
  const norm = Math.fround(stored.norm);
  return stored.scale * (factor * coded.scale) * dot - (metric === 'cosine' ? 0 : norm * norm);
}

describe('the kernel', () => {
  test('in the tree is what its source compiles to', async () => {
    expect(kernelModule).toBe(Buffer.from(await compileKernel()).toString('base64'));
    expect(await readFile(new URL('../kernel/scan.ts', import.meta.url), 'utf8')).toContain(
      'export function scan',
    );
  });

  test.each([
    ['cosine', 1],
    ['cosine', 15],
    ['cosine', 16],
    ['cosine', 100],
    ['cosine', 4096],
    ['l2', 3],
    ['l2', 17],
    ['l2', 128],
  ] as const)('computes bit for bit what a plain loop does (%s, %i dimensions)', (metric, dimension) => {
    const vectors = randomVectors(dimension > 1000 ? 50 : 403, dimension, dimension, 50);
    const extreme = [1, -1].map((sign) => new Float32Array(dimension).fill(sign));
    vectors.push(...extreme);
    const scanner = fileOf('int8', metric, vectors);
    // Of four rows, which are scored together: some, none, all, one.
    for (const wanted of [
      (row: number) => row % 5 !== 2 && (row < 40 || row > 90),
      (row: number) => row % 7 === 0,
    ]) {
      const mask = emptyBits(vectors.length);
      for (let row = 0; row < vectors.length; row++) if (wanted(row)) setBit(mask, row);
      for (const query of [...randomVectors(5, dimension, 77, 50), ...extreme]) {
        const everything = scanner.search(
          metric,
          query,
          mask,
          Number.POSITIVE_INFINITY,
          Number.NEGATIVE_INFINITY,
        );
        const scores = new Map(everything.map(({ row, score }) => [row, score]));
        for (const [row, vector] of vectors.entries())
          expect(scores.get(row)).toBe(wanted(row) ? plainScore(metric, query, vector) : undefined);
      }
    }
  });
});

test.each(['int8', 'int4'] as const)(
  '%s codes of any number of rows are scanned within their memory',
  (kind) => {
    const vectors = randomVectors(40, 4096, 9);
    for (let count = 1; count <= vectors.length; count++) {
      const file = fileOf(kind, 'l2', vectors.slice(0, count));
      const found = file.search(
        'l2',
        vectors[0] as Float32Array,
        allBits(count),
        count,
        Number.NEGATIVE_INFINITY,
      );
      expect(found.map(({ row }) => row).sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, i) => i),
      );
    }
  },
);

describe('coarse codes', () => {
  test.each([
    ['cosine', 1],
    ['cosine', 17],
    ['cosine', 128],
    ['cosine', 4096],
    ['l2', 31],
    ['l2', 33],
  ] as const)('are scored as a plain loop does (%s, %i dimensions)', (metric, dimension) => {
    const vectors = randomVectors(dimension > 1000 ? 30 : 203, dimension, dimension, 50);
    vectors.push(new Float32Array(dimension).fill(-1));
    const file = fileOf('int4', metric, vectors);
    const mask = emptyBits(vectors.length);
    for (let row = 0; row < vectors.length; row++) if (row % 3 !== 0) setBit(mask, row);
    for (const query of [...randomVectors(4, dimension, 78, 50), new Float32Array(dimension).fill(1)]) {
      const q = new Int16Array(dimension);
      const { scale: queryScale } = quantize(metric, query, q, largestQueryCode, same);
      const scores = new Map(
        file
          .search(metric, query, mask, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
          .map(({ row, score }) => [row, score]),
      );
      for (const [row, vector] of vectors.entries()) {
        const squares = vector.reduce((sum, x) => sum + x * x, 0);
        const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const levels = Array.from(vector, (x) =>
          Math.max(-7, Math.min(7, Math.round((x / largest) * (7 / 0.9)))),
        );
        const along = levels.reduce((sum, level, i) => sum + level * (vector[i] as number), 0);
        const dot = levels.reduce((sum, level, i) => sum + level * (q[i] as number), 0);
        const cosine = metric === 'cosine';
        const scale = Math.fround((cosine ? Math.sqrt(squares) : squares) / along);
        const norm = Math.fround(Math.sqrt(squares));
        const score = scale * ((cosine ? 1 : 2) * queryScale) * dot - (cosine ? 0 : norm * norm);
        expect(scores.get(row)).toBe(row % 3 !== 0 ? score : undefined);
      }
    }
  });

  test('tell the distance of a row to itself rightly, and its nearest among few', () => {
    const vectors = randomVectors(2000, 64, 5);
    const file = fileOf('int4', 'cosine', vectors);
    for (const vector of vectors.slice(0, 50)) {
      const [first] = file.search('cosine', vector, allBits(2000), 1, Number.NEGATIVE_INFINITY);
      expect(vectors[(first as { row: number }).row]).toEqual(vector);
      expect((first as { score: number }).score).toBeCloseTo(1, 3);
    }
  });

  test('of vectors without a length are of no length', () => {
    const file = fileOf('int4', 'l2', [new Float32Array(20), new Float32Array(20).fill(3)]);
    const found = file.search('l2', new Float32Array(20).fill(1), allBits(2), 2, Number.NEGATIVE_INFINITY);
    expect(found.map(({ row, score }) => [row, Math.round(score)])).toEqual([
      [0, 0],
      [1, 2 * 60 - 180],
    ]);
  });
});

describe('the error bound', () => {
  test.each(['cosine', 'l2'] as const)('holds for every row and lets no true answer out (%s)', (metric) => {
    for (const [seed, spread] of [
      [1, 1],
      [2, 1000],
      [3, 1e6],
    ] as const) {
      const vectors = randomVectors(3000, 24, seed, spread);
      const scanner = fileOf('int8', metric, vectors);
      for (const query of [...randomVectors(6, 24, seed + 50, spread), vectors[7] as Float32Array]) {
        const squaredNorm = query.reduce((sum, x) => sum + x * x, 0);
        const truth = vectors.map((vector) => scoreOf(metric, distance(metric, query, vector), squaredNorm));
        const all = scanner.search(
          metric,
          query,
          allBits(3000),
          Number.POSITIVE_INFINITY,
          Number.NEGATIVE_INFINITY,
        );
        for (const { row, score, bound } of all)
          expect(Math.abs((truth[row] as number) - score)).toBeLessThanOrEqual(bound);
        const best = [...truth.keys()]
          .sort((a, b) => (truth[b] as number) - (truth[a] as number))
          .slice(0, 10);
        const few = scanner.search(metric, query, allBits(3000), 10, Number.NEGATIVE_INFINITY);
        expect(few.map(({ row }) => row)).toEqual(expect.arrayContaining(best));
        const reach = truth[best[5] as number] as number;
        const near = scanner.search(metric, query, allBits(3000), Number.POSITIVE_INFINITY, reach);
        expect(near.map(({ row }) => row)).toEqual(expect.arrayContaining(best.slice(0, 6)));
        expect(few.length).toBeLessThan(3000);
      }
    }
  });
});
