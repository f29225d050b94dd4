import { setImmediate } from 'node:timers/promises';
import { HierarchicalNSW, hnswBuild } from '@lookalike/hnsw';
import type { EmbeddingTable } from './embedding-table.ts';
import { type FindPairsOptions, type FoundPairs, limitedCollector } from './find-pairs.ts';

const M = 16;
const EF_CONSTRUCTION = 120;
const FIRST_NEIGHBOURS = 16;
const ROWS_BETWEEN_PAUSES = 64;
const SAMPLE = 100;

export const hasGraphLibrary: boolean = hnswBuild !== undefined;

/**
 * Pairs through an HNSW graph: every row asks for its nearest ones, and for twice as many as long as the farthest answer
 * is still near enough. A pair is found when either of its rows finds the other.
 */
export async function findPairsByGraph(
  table: EmbeddingTable,
  options: FindPairsOptions,
): Promise<FoundPairs> {
  const { count, dimension } = table;
  const live = liveRows(table);
  const collector = limitedCollector(options);
  const pairs = new Set<number>();
  let compared = 0;
  const pause = async (share: number) => {
    options.signal?.throwIfAborted();
    options.onProgress?.(share);
    await setImmediate();
  };

  const graph = new HierarchicalNSW('ip', dimension);
  graph.initIndex({ maxElements: Math.max(1, live.length), m: M, efConstruction: EF_CONSTRUCTION });
  for (const [done, row] of live.entries()) {
    graph.addPoint(rowNumbers(table, row), row);
    if (done % ROWS_BETWEEN_PAUSES === 0) await pause((0.7 * done) / live.length);
  }

  for (const [done, row] of live.entries()) {
    const vector = rowNumbers(table, row);
    for (let neighbours = Math.min(FIRST_NEIGHBOURS, live.length); ; ) {
      graph.setEf(Math.max(64, neighbours * 2));
      const answer = graph.searchKnn(vector, neighbours);
      compared += answer.neighbors.length;
      let farthest = 1;
      for (const [position, other] of answer.neighbors.entries()) {
        const similarity = 1 - (answer.distances[position] as number);
        farthest = Math.min(farthest, similarity);
        if (other === row || similarity < options.minSimilarity) continue;
        const key = Math.min(row, other) * count + Math.max(row, other);
        if (pairs.has(key)) continue;
        pairs.add(key);
        collector.add(row, other, similarity);
      }
      if (farthest < options.minSimilarity || neighbours === live.length) break;
      neighbours = Math.min(live.length, neighbours * 2);
    }
    if (done % ROWS_BETWEEN_PAUSES === 0) await pause(0.7 + (0.3 * done) / live.length);
  }
  options.onProgress?.(1);
  const recall = sampledRecall(table, live, options.minSimilarity, pairs);
  return { pairs: collector.pairs(), complete: false, recall, compared };
}

/** Rows of zeros (pictures that may match nothing) stay out of the graph. */
function liveRows(table: EmbeddingTable): number[] {
  const rows: number[] = [];
  for (let row = 0; row < table.count; row++) {
    const start = row * table.dimension;
    if (table.values.subarray(start, start + table.dimension).some((value) => value !== 0)) rows.push(row);
  }
  return rows;
}

function rowNumbers(table: EmbeddingTable, row: number): number[] {
  return Array.from(table.values.subarray(row * table.dimension, (row + 1) * table.dimension));
}

/** Scans the whole table for evenly spaced rows and counts which of their true pairs were found. */
function sampledRecall(
  table: EmbeddingTable,
  live: readonly number[],
  minSimilarity: number,
  pairs: ReadonlySet<number>,
): number {
  const { values, dimension, count } = table;
  // A pair sitting on the threshold may fall either way in float32: it says nothing of the graph.
  const surely = minSimilarity + 1e-5;
  let expected = 0;
  let found = 0;
  const step = Math.max(1, Math.floor(live.length / SAMPLE));
  for (let position = 0; position < live.length; position += step) {
    const row = live[position] as number;
    for (const other of live) {
      if (other === row) continue;
      let similarity = 0;
      for (let k = 0; k < dimension; k++)
        similarity += (values[row * dimension + k] as number) * (values[other * dimension + k] as number);
      if (similarity < surely) continue;
      expected++;
      if (pairs.has(Math.min(row, other) * count + Math.max(row, other))) found++;
    }
  }
  return expected === 0 ? 1 : found / expected;
}
