import { LookalikeError } from '@lookalike/store';
import { decodeCursor } from './cursor.ts';
import type { CollectionInfo, Metadata, QueryRequest } from './engine.ts';
import type { Filter } from './filter.ts';
import { compileFilter } from './filter-match.ts';
import { parseFilter } from './filter-parse.ts';
import { checkId, checkSimilarity, checkVector, checkWhole } from './input-check.ts';
import type { Position } from './nearest.ts';

const maxTopK = 10_000;
export const maxEf = 10_000;

export interface CheckedQuery {
  vector: Float32Array | undefined;
  id: string | undefined;
  limit: number;
  /** More may follow: answer with a cursor. */
  paged: boolean;
  after: Position | undefined;
  minSimilarity: number | undefined;
  filter: CheckedFilter | undefined;
  include: { metadata: boolean; vector: boolean };
  exact: boolean;
  ef: number | undefined;
}

export interface CheckedFilter {
  filter: Filter;
  test: (metadata: Metadata) => boolean;
}

/** Throws `invalid-request`, `invalid-vector`, `invalid-id` or `invalid-filter`. */
export function checkQuery(request: QueryRequest, info: CollectionInfo, pageSize: number): CheckedQuery {
  const { vector, id, topK, minSimilarity, cursor } = request;
  if ((vector === undefined) === (id === undefined))
    throw new LookalikeError('invalid-request', "expected exactly one of 'vector' and 'id'");
  if (vector !== undefined) checkVector(vector, info);
  if (id !== undefined) checkId(id);
  checkSimilarity('minSimilarity', minSimilarity);
  const paged = topK === undefined && minSimilarity !== undefined;
  if (cursor !== undefined && !paged)
    throw new LookalikeError(
      'invalid-request',
      "cursor: only a range search ('minSimilarity' without 'topK') has pages",
    );
  return {
    vector,
    id,
    limit: paged ? pageSize : checkWhole('topK', topK, 1, maxTopK, 10),
    paged,
    after: cursor === undefined ? undefined : decodeCursor(cursor),
    minSimilarity,
    filter: checkFilter(request.filter),
    include: checkInclude(request.include, ['metadata']),
    exact: request.exact === true,
    ef: request.ef === undefined ? undefined : checkWhole('ef', request.ef, 1, maxEf, 1),
  };
}

export function checkFilter(filter: Filter | undefined): CheckedFilter | undefined {
  if (filter === undefined) return undefined;
  const parsed = parseFilter(filter);
  return { filter: parsed, test: compileFilter(parsed) };
}

export function checkInclude(
  include: readonly string[] | undefined,
  fallback: readonly string[],
): { metadata: boolean; vector: boolean } {
  const chosen = include ?? fallback;
  for (const name of chosen)
    if (name !== 'metadata' && name !== 'vector')
      throw new LookalikeError(
        'invalid-request',
        `include ${JSON.stringify(name)}, expected 'metadata' or 'vector'`,
      );
  return { metadata: chosen.includes('metadata'), vector: chosen.includes('vector') };
}
