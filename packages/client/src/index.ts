export type * from '@lookalike/api/schemas';
export { LookalikeApiError } from './api-error.ts';
export type { CallOptions, QueryInput } from './client.ts';
export { LookalikeClient } from './client.ts';
export type { IngestOptions } from './ingest.ts';
export type { PictureSource } from './pictures.ts';
export type { OutgoingRequest, TransportOptions } from './transport.ts';
