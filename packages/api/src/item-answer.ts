import type { Match as EngineMatch, UpsertResult as EngineResult, StoredItem } from '@lookalike/index';
import type { Item, Match, UpsertResult } from './schemas.ts';

/** The item as JSON has it. */
export function itemAnswer({ vector, ...rest }: StoredItem): Item {
  return vector === undefined ? rest : { ...rest, vector: Array.from(vector) };
}

/** The match as JSON has it. */
export function matchAnswer({ vector, ...rest }: EngineMatch): Match {
  return vector === undefined ? rest : { ...rest, vector: Array.from(vector) };
}

/** What became of an item, as JSON has it. */
export function upsertResultAnswer(result: EngineResult): UpsertResult {
  const { id, status } = result;
  switch (status) {
    case 'stored':
      return { id, status };
    case 'similar':
      return { id, status, match: matchAnswer(result.match) };
    case 'conflict':
      return result.version === undefined ? { id, status } : { id, status, version: result.version };
    case 'invalid':
      return { id, status, error: result.error };
  }
}
