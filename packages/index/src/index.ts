export type * from './administration.ts';
export { exportArrow, type ImportReport, importArrow } from './arrow-exchange.ts';
export { distance, similarity } from './distance.ts';
export type * from './engine.ts';
export type * from './filter.ts';
export { parseFilter } from './filter-parse.ts';
export type { IndexerOptions } from './indexer.ts';
export { checkVector, maxDimension, maxIdBytes, maxMetadataBytes } from './input-check.ts';
export { type EngineOptions, openEngine } from './open-engine.ts';
