export { frameHashCandidates } from './animations.ts';
export { type ComparedBy, type ComparedPicture, comparePictures } from './compare-pictures.ts';
export type { DuplicateItem, DuplicateKind } from './duplicate-item.ts';
export { cosine, type EmbeddingTable, embeddingTable } from './embedding-table.ts';
export { type Comparison, type FindPairsOptions, type FoundPairs, findPairs } from './find-pairs.ts';
export {
  type DuplicateGroup,
  type DuplicateMember,
  type GroupOptions,
  groupNearDuplicates,
  type HashAgreement,
  type NearBy,
} from './group-near-duplicates.ts';
export { findHashPairs, MOST_HASH_BITS, MOST_HASH_BITS_OF_MANY, SURE_HASH_BITS } from './hash-pairs.ts';
export { matchAgainst } from './match-against.ts';
export {
  findNearPairs,
  leastHashSimilarity,
  type NearPairs,
  type NearPairsOptions,
  type PictureRow,
} from './near-pairs.ts';
export type { LedgerStore } from './pair-ledger.ts';
export { pixelHashCandidates } from './pixel-candidates.ts';
export {
  type CalibratedThreshold,
  falsePositiveRateAt,
  type PrecisionThreshold,
  pairsFrom,
  thresholdForPrecision,
} from './precision-threshold.ts';
export { renamePairs, type SimilarPairs } from './similar-pairs.ts';
