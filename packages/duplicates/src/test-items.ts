import type { DuplicateItem, SimilarPairs } from './index.ts';

/** A file like any other: what a test does not say makes no difference to it. */
export const file = (key: string, facts: Partial<DuplicateItem> = {}): DuplicateItem => ({
  key,
  contentHash: `bytes of ${key}`,
  width: 100,
  height: 100,
  bytes: 1000,
  modified: 0,
  lowInformation: false,
  ...facts,
});

export function columns(pairs: readonly (readonly [number, number, number])[]): SimilarPairs {
  return {
    left: Uint32Array.from(pairs, ([a]) => a),
    right: Uint32Array.from(pairs, ([, b]) => b),
    similarity: Float32Array.from(pairs, ([, , similarity]) => similarity),
  };
}
