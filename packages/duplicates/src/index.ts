export type { DuplicateItem, DuplicateKind } from './duplicate-item.ts';
export { type EmbeddingTable, embeddingTable } from './embedding-table.ts';
export { type FindPairsOptions, type FoundPairs, findPairs } from './find-pairs.ts';
export {
  type DuplicateGroup,
  type DuplicateMember,
  type GroupOptions,
  groupNearDuplicates,
} from './group-near-duplicates.ts';
export { matchAgainst } from './match-against.ts';
export { pixelHashCandidates } from './pixel-candidates.ts';
export {
  type CalibratedThreshold,
  falsePositiveRateAt,
  type PrecisionThreshold,
  pairsFrom,
  thresholdForPrecision,
} from './precision-threshold.ts';
export type { SimilarPairs } from './similar-pairs.ts';
