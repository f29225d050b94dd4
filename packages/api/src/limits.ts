import type { Limits } from './schemas.ts';

const mebibyte = 1024 * 1024;

/** What one request may ask of the server; published at `GET /v1/limits` and enforced while a body streams in. */
export const defaultLimits: Readonly<Limits> = {
  pictureBytes: 64 * mebibyte,
  jsonBytes: 96 * mebibyte,
  ndjsonLineBytes: 96 * mebibyte,
  arrowBatchBytes: 256 * mebibyte,
  itemsPerBatch: 10_000,
  queriesPerBatch: 100,
  idsPerRequest: 10_000,
  topK: 10_000,
  pageSize: 10_000,
  idBytes: 512,
  metadataBytes: 64 * 1024,
  dimension: 4096,
  jsonDepth: 64,
  filterDepth: 32,
  filterConditions: 1000,
  concurrentRequests: 64,
};

/** Those of `limits` that a deployment may lower or raise; the others are part of the format. */
export type AdjustableLimits = Partial<
  Pick<Limits, 'pictureBytes' | 'jsonBytes' | 'ndjsonLineBytes' | 'concurrentRequests'>
>;
