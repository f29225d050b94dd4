import type {
  Collection,
  CollectionList,
  CollectionStats,
  CreateCollection,
  Health,
  ImportAnswer,
  Limits,
  ModelList,
  RecallReport,
  RecallRequest,
} from '@lookalike/api/schemas';
import { LookalikeApiError } from './api-error.ts';
import { collectionPath } from './resource-paths.ts';
import type { CallOptions, TransportOptions } from './transport.ts';
import { Transport } from './transport.ts';

type DamagedCollection = NonNullable<CollectionList['damaged']>[number];

export interface ListOptions extends CallOptions {
  onDamaged?: (collection: DamagedCollection) => void;
}

/** The server, its collections, and all of one at once. */
export class CollectionCalls {
  protected readonly transport: Transport;

  /** `baseUrl` such as `http://127.0.0.1:8787`. */
  constructor(baseUrl: string | URL, options: TransportOptions = {}) {
    this.transport = new Transport(baseUrl, options);
  }

  health(options: CallOptions = {}): Promise<Health> {
    return this.transport.json({ method: 'GET', path: '/healthz', ...options });
  }

  limits(options: CallOptions = {}): Promise<Limits> {
    return this.transport.json({ method: 'GET', path: '/v1/limits', ...options });
  }

  models(options: CallOptions = {}): Promise<ModelList> {
    return this.transport.json({ method: 'GET', path: '/v1/models', ...options });
  }

  /** For pictures of the server's default model where nothing else is said. Creating it again as it is changes nothing. */
  createCollection(
    name: string,
    config: CreateCollection = {},
    options: CallOptions = {},
  ): Promise<Collection> {
    return this.transport.sendJson('PUT', collectionPath(name), config, options);
  }

  getCollection(name: string, options: CallOptions = {}): Promise<Collection> {
    return this.transport.json({ method: 'GET', path: collectionPath(name), ...options });
  }

  /**
   * By name. Those of which the server cannot read what they are go to `onDamaged`; without it the first of them is thrown, after
   * all others were given.
   */
  async *listCollections({ onDamaged, ...options }: ListOptions = {}): AsyncGenerator<Collection> {
    let untold: DamagedCollection | undefined;
    let cursor: string | undefined;
    do {
      const page: CollectionList = await this.transport.json({
        method: 'GET',
        path: '/v1/collections',
        query: { limit: 1000, cursor },
        ...options,
      });
      yield* page.collections;
      for (const one of page.damaged ?? []) {
        if (onDamaged) onDamaged(one);
        else untold ??= one;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    if (untold) throw new LookalikeApiError(500, untold.code, untold.detail);
  }

  dropCollection(name: string, options: CallOptions = {}): Promise<void> {
    return this.transport.delete({ path: collectionPath(name), ...options });
  }

  stats(name: string, options: CallOptions = {}): Promise<CollectionStats> {
    return this.transport.json({ method: 'GET', path: `${collectionPath(name)}/stats`, ...options });
  }

  recall(name: string, request: RecallRequest = {}, options: CallOptions = {}): Promise<RecallReport> {
    return this.transport.sendJson('POST', `${collectionPath(name)}/recall`, request, options);
  }

  /** All items as an Arrow IPC stream with the columns id, version, metadata (JSON as text) and vector. */
  async exportArrow(collection: string, options: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const path = `${collectionPath(collection)}/export`;
    const { body } = await this.transport.send({ method: 'GET', path, ...options });
    if (body === null) throw new LookalikeApiError(0, 'unexpected-answer', 'the export has no body');
    return body;
  }

  /** Stores the items of an Arrow IPC stream or file, in one request. A bad row does not stop the rest. */
  importArrow(
    collection: string,
    data: Uint8Array<ArrayBuffer> | Blob,
    options: CallOptions = {},
  ): Promise<ImportAnswer> {
    const path = `${collectionPath(collection)}/import`;
    const headers = { 'content-type': 'application/vnd.apache.arrow.stream' };
    return this.transport.json({ method: 'POST', path, headers, body: data, ...options });
  }
}
