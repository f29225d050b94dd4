import { describe, expect, test } from 'vitest';
import { distance } from './distance.ts';
import type { Metric } from './engine.ts';
import { Nearest } from './nearest.ts';
import { randomNumbers } from './random.ts';
import { Tail } from './tail.ts';

const dimension = 20;
const rows = 9000;

function randomTail(metric: Metric, size: (row: number) => number = () => 1): Tail {
  const random = randomNumbers(7);
  const tail = new Tail({ dimension, metric });
  for (let row = 0; row < rows; row++) {
    const vector = Float32Array.from({ length: dimension }, () => (random() * 2 - 1) * size(row));
    // Three rows a commit; every fifth id is written again, which kills the row before.
    const id = row % 5 === 4 ? `id-${row - 4}` : `id-${row}`;
    const version = 1 + Math.floor(row / 3);
    tail.kill(id, version);
    tail.append(version, id, vector, 0, `{"n":${row}}`);
  }
  return tail;
}

function answers(
  tail: Tail,
  query: Float32Array,
  limit: number,
  minSimilarity: number | undefined,
  options: Parameters<Tail['search']>[2],
) {
  const nearest = new Nearest<Tail>({ metric: tail.metric, limit, minSimilarity });
  const scanned = tail.search(query, nearest, options);
  return { scanned, found: nearest.sorted().map(({ row, distance }) => ({ row, distance })) };
}

/** Every wanted row compared, one after the other. */
function truth(tail: Tail, query: Float32Array, wanted: (row: number) => boolean) {
  return Array.from({ length: rows }, (_, row) => row)
    .filter(wanted)
    .map((row) => ({ row, distance: distance(tail.metric, query, tail.vector(row)) }))
    .sort(
      (a, b) =>
        a.distance - b.distance || ((tail.ids[a.row] as string) < (tail.ids[b.row] as string) ? -1 : 1),
    );
}

describe.each(['cosine', 'l2', 'l1'] as const)('a tail of thousands of rows (%s)', (metric) => {
  const query = Float32Array.from({ length: dimension }, (_, i) => Math.sin(i));

  test('answers as each row compared does, at every version, behind every filter, after every version', () => {
    const tail = randomTail(metric);
    const last = tail.versions.at(-1) as number;
    for (const { version, since, every } of [
      { version: last, since: 0, every: 1 },
      { version: 2000, since: 0, every: 1 },
      { version: last, since: 1500, every: 1 },
      { version: last, since: last - 20, every: 1 },
      { version: last, since: 0, every: 7 },
      { version: 2500, since: 1300, every: 1000 },
    ]) {
      const wanted = (row: number) =>
        tail.isLive(row, version) && (tail.versions[row] as number) > since && row % every === 0;
      const expected = truth(tail, query, wanted);
      const filter =
        every === 1 ? undefined : ({ n }: Record<string, unknown>) => (n as number) % every === 0;
      const options = { version, since, filter };
      for (const limit of [1, 10, 3000]) {
        const { scanned, found } = answers(tail, query, limit, undefined, options);
        expect(found).toEqual(expected.slice(0, limit));
        expect(scanned).toBe(expected.length);
      }
      const some = expected[Math.floor(expected.length / 3)]?.distance as number;
      const minSimilarity = metric === 'cosine' ? 1 - some : 1 / (1 + some);
      const { found } = answers(tail, query, Number.POSITIVE_INFINITY, minSimilarity, options);
      const near = found.length;
      expect(Math.abs(near - Math.floor(expected.length / 3))).toBeLessThanOrEqual(1);
      expect(found).toEqual(expected.slice(0, near));
    }
  });

  test('goes on to answer while rows are appended between searches', () => {
    const source = randomTail(metric);
    const tail = new Tail({ dimension, metric });
    for (let row = 0; row < rows; row++) {
      tail.append(row + 1, `id-${row}`, source.vector(row), 0, '{}');
      if (row % 1117 !== 300) continue;
      const expected = truth(source, query, (other) => other <= row).slice(0, 5);
      const { found } = answers(tail, query, 5, undefined, { version: row + 1 });
      expect(found.map(({ distance }) => distance)).toEqual(expected.map(({ distance }) => distance));
    }
  });

  test('holds vectors too long and too short for codes', () => {
    const tail = randomTail(metric, (row) => (row === 5000 ? 1e17 : row === 6001 ? 1e-18 : 1));
    const last = tail.versions.at(-1) as number;
    const { found } = answers(tail, query, 20, undefined, { version: last });
    expect(found).toEqual(truth(tail, query, (row) => tail.isLive(row, last)).slice(0, 20));
  });
});
