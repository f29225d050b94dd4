import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { embeddingTable, findPairs, type SimilarPairs } from './index.ts';

function normalised(numbers: readonly number[]): Float32Array {
  const norm = Math.hypot(...numbers) || 1;
  return Float32Array.from(numbers, (value) => value / norm);
}

/** A seeded generator (mulberry32), so that every run sees the same vectors. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `families` random pictures, each with `copies` disturbed copies. */
function families(count: number, copies: number, dimension: number): Float32Array[] {
  const next = random(7);
  return Array.from({ length: count }, () => Array.from({ length: dimension }, () => next() - 0.5)).flatMap(
    (centre) =>
      Array.from({ length: copies }, () => normalised(centre.map((value) => value + 0.2 * (next() - 0.5)))),
  );
}

function listed(pairs: SimilarPairs): string[] {
  return Array.from(pairs.left, (left, pair) => `${left}-${pairs.right[pair]}`).sort();
}

function bruteForce(rows: readonly Float32Array[], minSimilarity: number): string[] {
  const found: string[] = [];
  for (const [a, first] of rows.entries())
    for (const [b, second] of rows.entries())
      if (a < b && first.reduce((sum, value, k) => sum + value * (second[k] as number), 0) >= minSimilarity)
        found.push(`${a}-${b}`);
  return found.sort();
}

describe('all pairs above a similarity', () => {
  test('are what comparing every two rows finds, at any dimension', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(0.3, 0.8, 0.95),
        fc.integer(),
        async (dimension, count, minSimilarity, seed) => {
          const next = random(seed);
          const rows = Array.from({ length: count }, () => {
            const row = normalised(Array.from({ length: dimension }, () => next() - 0.3));
            return row;
          });
          const { pairs, complete, compared } = await findPairs(embeddingTable(rows, dimension), {
            minSimilarity,
          });
          expect(complete).toBe(true);
          expect(compared).toBe(count === 0 ? 0 : (count * (count - 1)) / 2);
          expect(listed(pairs)).toEqual(bruteForce(rows, minSimilarity));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('of some rows with others are only those', async () => {
    const rows = families(20, 4, 32);
    const all = await findPairs(embeddingTable(rows, 32), { minSimilarity: 0.85 });
    const across = await findPairs(embeddingTable(rows, 32), {
      minSimilarity: 0.85,
      comparisons: [{ left: { start: 0, end: 30 }, right: { start: 30, end: rows.length } }],
    });
    expect(across.compared).toBe(30 * (rows.length - 30));
    const expected = listed(all.pairs).filter((pair) => {
      const [a, b] = pair.split('-').map(Number) as [number, number];
      return a < 30 && b >= 30;
    });
    expect(listed(across.pairs)).toEqual(expected);
    // The boundary parts one family of four, and only that one.
    expect(expected.length).toBe(4);
  });

  test('through the graph are nearly all of them, and the measured recall says how many', async () => {
    // Families larger than the first search of a row, so that it has to ask again for more.
    const rows = families(60, 25, 48);
    const table = embeddingTable([...rows, undefined, undefined], 48);
    const exact = await findPairs(table, { minSimilarity: 0.85 });
    const graph = await findPairs(table, { minSimilarity: 0.85, exactUpTo: 100 });
    expect(exact.pairs.left.length).toBe((60 * 25 * 24) / 2);
    expect(graph.complete).toBe(false);
    const truth = new Set(listed(exact.pairs));
    const found = listed(graph.pairs);
    expect(found.filter((pair) => !truth.has(pair))).toEqual([]);
    expect(new Set(found).size).toBe(found.length);
    expect(found.length / truth.size).toBeGreaterThan(0.98);
    expect(Math.abs(graph.recall - found.length / truth.size)).toBeLessThan(0.05);
  });

  test('a missing embedding pairs with nothing; an equal one has similarity 1 and no more', async () => {
    const row = normalised([0.1, 0.7, 0.3]);
    const { pairs } = await findPairs(embeddingTable([row, undefined, row, undefined], 3), {
      minSimilarity: 0.5,
    });
    expect(listed(pairs)).toEqual(['0-2']);
    expect(pairs.similarity[0]).toBeCloseTo(1, 6);
    expect(pairs.similarity[0]).toBeLessThanOrEqual(1);
  });

  test('wrong input is refused by code', async () => {
    const unit = normalised([1, 2]);
    const code = (value: string) => expect.objectContaining({ code: value });
    expect(() => embeddingTable([new Float32Array(3)], 2)).toThrow(code('invalid-vector'));
    expect(() => embeddingTable([Float32Array.of(Number.NaN, 0)], 2)).toThrow(code('invalid-vector'));
    expect(() => embeddingTable([Float32Array.of(2, 0)], 2)).toThrow(code('invalid-vector'));
    const table = embeddingTable([unit, unit, unit], 2);
    for (const minSimilarity of [0, 1.1, Number.NaN])
      await expect(findPairs(table, { minSimilarity })).rejects.toThrow(code('invalid-threshold'));
    await expect(findPairs(table, { minSimilarity: 0.5, maxPairs: 2 })).rejects.toThrow(
      code('too-many-pairs'),
    );
  });

  test('stops where it is told to', async () => {
    const rows = families(400, 8, 128);
    const abort = new AbortController();
    const running = findPairs(embeddingTable(rows, 128), {
      minSimilarity: 0.9,
      exactUpTo: 100,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
  });
});
