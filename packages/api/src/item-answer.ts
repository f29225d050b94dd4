import type { Match as EngineMatch, StoredItem } from '@lookalike/index';
import type { Item, Match } from './schemas.ts';

/** The item as JSON has it. */
export function itemAnswer({ vector, ...rest }: StoredItem): Item {
  return vector === undefined ? rest : { ...rest, vector: Array.from(vector) };
}

/** The match as JSON has it. */
export function matchAnswer({ vector, ...rest }: EngineMatch): Match {
  return vector === undefined ? rest : { ...rest, vector: Array.from(vector) };
}
