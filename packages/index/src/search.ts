import { LookalikeError } from '@lookalike/store';
import { similarity } from './distance.ts';
import type { HeadState } from './head.ts';
import { Nearest } from './nearest.ts';
import type { CheckedQuery } from './query-check.ts';
import type { Tail } from './tail.ts';

export interface Found {
  matches: { id: string; distance: number; similarity: number; row: number }[];
  more: boolean;
  rowsScanned: number;
}

export function search(state: Readonly<HeadState>, query: CheckedQuery): Found {
  const { tail, version, info } = state;
  const { metric } = info;
  let vector = query.vector;
  if (query.id !== undefined) {
    const row = tail.live.get(query.id);
    if (row === undefined)
      throw new LookalikeError(
        'unknown-item',
        `no item ${JSON.stringify(query.id)} in collection ${info.name}`,
      );
    vector = tail.vector(row);
  }
  // One more than asked: whether more follow, and room for the item itself.
  const limit = query.limit + 2;
  const nearest = new Nearest<Tail>({
    metric,
    limit,
    minSimilarity: query.minSimilarity,
    after: query.after,
  });
  const rowsScanned = tail.search(vector as Float32Array, nearest, { version, filter: query.filter?.test });
  const found = nearest.sorted().filter((candidate) => candidate.id !== query.id);
  return {
    matches: found.slice(0, query.limit).map(({ id, distance, row }) => ({
      id,
      distance,
      similarity: similarity(metric, distance),
      row,
    })),
    more: found.length > query.limit,
    rowsScanned,
  };
}
