export type { DuplicateItem, DuplicateKind } from './duplicate-item.ts';
export { type EmbeddingTable, embeddingTable } from './embedding-table.ts';
export { type FindPairsOptions, type FoundPairs, findPairs } from './find-pairs.ts';
export {
  type DuplicateGroup,
  type DuplicateMember,
  type GroupOptions,
  groupNearDuplicates,
} from './group-near-duplicates.ts';
export { pixelHashCandidates } from './pixel-candidates.ts';
export type { SimilarPairs } from './similar-pairs.ts';
