export type * from '@lookalike/api/schemas';
export { LookalikeApiError } from './api-error.ts';
export { LookalikeClient } from './client.ts';
export type { ListOptions } from './collection-calls.ts';
export type { IngestOptions } from './ingest.ts';
export type { PictureSource } from './pictures.ts';
export type { QueryInput } from './query-calls.ts';
export type { CallOptions, OutgoingRequest, TransportOptions } from './transport.ts';
