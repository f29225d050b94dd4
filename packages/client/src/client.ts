import type {
  Collection,
  CollectionList,
  CollectionStats,
  Compare,
  CompareAnswer,
  CountAnswer,
  CreateCollection,
  CreateUpload,
  Delete,
  DeleteAnswer,
  DuplicateGroup,
  DuplicatesJob,
  Filter,
  FindDuplicates,
  GetItemsAnswer,
  Health,
  ImportAnswer,
  Item,
  ItemInput,
  ItemList,
  Limits,
  Metadata,
  ModelList,
  PatchAnswer,
  PatchItems,
  PutItemAnswer,
  Query,
  QueryAnswer,
  QueryBatchAnswer,
  RecallReport,
  RecallRequest,
  Upload,
  UpsertAnswer,
  UpsertLine,
  Verdict,
  VerdictAnswer,
} from '@lookalike/api/schemas';
import { LookalikeApiError } from './api-error.ts';
import type { IngestOptions } from './ingest.ts';
import { ingest } from './ingest.ts';
import type { PictureSource } from './pictures.ts';
import { pictureBase64, pictureBlob, pictureType } from './pictures.ts';
import type { Call, TransportOptions } from './transport.ts';
import { Transport } from './transport.ts';
import { orByUpload } from './uploads.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

type Include = ('metadata' | 'vector')[];

/** What a query asks for: a picture (as bytes), a vector or an item. */
export type QueryInput = Omit<Query, 'image'> & { picture?: PictureSource };

const json = { 'content-type': 'application/json' };

/** Longer JSON than this is no query parameter, then the picture goes into the JSON. */
const longestParameter = 4096;

/** URLs resolve `.` and `..` away even when percent-encoded, so that items with these ids have no address of their own. */
function hasNoAddress(id: string): boolean {
  return id === '.' || id === '..';
}

/**
 * The HTTP API of a Lookalike server, over nothing but `fetch`: for Node, browsers and Lambda.
 * Every method throws `LookalikeApiError`, or the reason of an aborted signal.
 */
export class LookalikeClient {
  readonly #transport: Transport;

  /** `baseUrl` such as `http://127.0.0.1:8787`. */
  constructor(baseUrl: string | URL, options: TransportOptions = {}) {
    this.#transport = new Transport(baseUrl, options);
  }

  health(options: CallOptions = {}): Promise<Health> {
    return this.#transport.json({ method: 'GET', path: '/healthz', ...options });
  }

  limits(options: CallOptions = {}): Promise<Limits> {
    return this.#transport.json({ method: 'GET', path: '/v1/limits', ...options });
  }

  models(options: CallOptions = {}): Promise<ModelList> {
    return this.#transport.json({ method: 'GET', path: '/v1/models', ...options });
  }

  /** For pictures of the server's default model where nothing else is said. Creating it again as it is changes nothing. */
  createCollection(
    name: string,
    config: CreateCollection = {},
    options: CallOptions = {},
  ): Promise<Collection> {
    return this.#sendJson('PUT', collectionPath(name), config, options);
  }

  getCollection(name: string, options: CallOptions = {}): Promise<Collection> {
    return this.#transport.json({ method: 'GET', path: collectionPath(name), ...options });
  }

  /** By name. */
  async *listCollections(options: CallOptions = {}): AsyncGenerator<Collection> {
    let cursor: string | undefined;
    do {
      const page: CollectionList = await this.#transport.json({
        method: 'GET',
        path: '/v1/collections',
        query: { limit: 1000, cursor },
        ...options,
      });
      yield* page.collections;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async dropCollection(name: string, options: CallOptions = {}): Promise<void> {
    await this.#transport.send({ method: 'DELETE', path: collectionPath(name), ...options });
  }

  stats(name: string, options: CallOptions = {}): Promise<CollectionStats> {
    return this.#transport.json({ method: 'GET', path: `${collectionPath(name)}/stats`, ...options });
  }

  recall(name: string, request: RecallRequest = {}, options: CallOptions = {}): Promise<RecallReport> {
    return this.#sendJson('POST', `${collectionPath(name)}/recall`, request, options);
  }

  /** Stores one picture under `id`, replacing what was there; with `ifVersion` only that version, 0 being none. */
  async putPicture(
    collection: string,
    id: string,
    picture: PictureSource,
    options: CallOptions & { metadata?: Metadata; unlessSimilar?: number; ifVersion?: number } = {},
  ): Promise<PutItemAnswer> {
    const { metadata, unlessSimilar, ifVersion, signal } = options;
    const metadataText = metadata && JSON.stringify(metadata);
    if (hasNoAddress(id) || (metadataText?.length ?? 0) > longestParameter) {
      const image = await pictureBase64(picture);
      const item = {
        id,
        image,
        ...(metadata && { metadata }),
        ...(ifVersion === undefined ? {} : { ifVersion }),
      };
      return this.#putByBatch(collection, item, options);
    }
    const body = pictureBlob(picture);
    const call: Call = {
      method: 'PUT',
      path: itemPath(collection, id),
      query: { metadata: metadataText, unlessSimilar },
      headers: { 'content-type': pictureType(body), ...conditionOf(ifVersion) },
      body,
      signal,
      once: ifVersion !== undefined,
    };
    return orByUpload(
      () => this.#transport.json<PutItemAnswer>(call),
      async () => {
        const url = await this.upload(picture, { signal });
        const settings = { ...(metadata && { metadata }), ...(ifVersion === undefined ? {} : { ifVersion }) };
        return this.#putByBatch(collection, { id, url, ...settings }, options);
      },
    );
  }

  /** An address to put a picture to that is too large for a request; `upload` does both. */
  createUpload(upload: CreateUpload, options: CallOptions = {}): Promise<Upload> {
    return this.#sendJson('POST', '/v1/uploads', upload, options);
  }

  /**
   * Uploads a picture to the bucket of the deployment; the answer names it in items and queries, for a day. `putPicture` and `query`
   * do so by themselves where it must be. Throws `no-uploads` where there is none: there requests take whole pictures.
   */
  async upload(picture: PictureSource, options: CallOptions = {}): Promise<string> {
    const body = pictureBlob(picture);
    const request = { bytes: body.size, contentType: pictureType(body) };
    const { url, uploadUrl, headers } = await this.createUpload(request, options);
    try {
      await this.#transport.send({
        method: 'PUT',
        path: '',
        elsewhere: uploadUrl,
        headers,
        body,
        ...options,
      });
    } catch (error) {
      // It is there already: the answer to an earlier attempt was lost.
      if (!(error instanceof LookalikeApiError && error.status === 412)) throw error;
    }
    return url;
  }

  async #putByBatch(
    collection: string,
    item: ItemInput,
    options: CallOptions & { unlessSimilar?: number },
  ): Promise<PutItemAnswer> {
    const { unlessSimilar, signal } = options;
    const { version, results } = await this.upsert(collection, [item], {
      ...(unlessSimilar === undefined ? {} : { unlessSimilar }),
      signal,
    });
    const result = results[0];
    if (result?.status === 'stored' || result?.status === 'similar') {
      return { ...result, status: result.status, version };
    }
    if (result?.status === 'conflict') {
      throw new LookalikeApiError(412, 'version-conflict', `the item ${item.id} is at another version`);
    }
    const error = result?.error ?? {
      code: 'unexpected-answer',
      message: 'the server gave no result of the item',
    };
    throw new LookalikeApiError(422, error.code, error.message);
  }

  /** One batch, one request. One bad item never loses the others: see `results`. For many use `ingest`. */
  upsert(
    collection: string,
    items: readonly ItemInput[],
    options: CallOptions & { unlessSimilar?: number; encoder?: string } = {},
  ): Promise<UpsertAnswer> {
    const { signal, ...settings } = options;
    const once = items.some(({ ifVersion }) => ifVersion !== undefined);
    const path = `${collectionPath(collection)}/items`;
    return this.#sendJson('POST', path, { items, ...settings }, { signal }, { once });
  }

  /** Any number of items; yields after each commit, naming those that were not stored. */
  ingest(
    collection: string,
    items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
    options: IngestOptions = {},
  ): AsyncGenerator<UpsertLine> {
    return ingest(this.#transport, `${collectionPath(collection)}/items`, items, options);
  }

  /** All items as an Arrow IPC stream with the columns id, version, metadata (JSON as text) and vector. */
  async exportArrow(collection: string, options: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const path = `${collectionPath(collection)}/export`;
    const { body } = await this.#transport.send({ method: 'GET', path, ...options });
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
    return this.#transport.json({ method: 'POST', path, headers, body: data, ...options });
  }

  /** Throws `unknown-item` where there is none. */
  async getItem(
    collection: string,
    id: string,
    options: CallOptions & { include?: Include; minVersion?: number } = {},
  ): Promise<Item> {
    const { include, minVersion, signal } = options;
    if (hasNoAddress(id)) {
      const [item] = await this.getItems(collection, [id], options);
      if (item) return item;
      throw new LookalikeApiError(404, 'unknown-item', `there is no item ${id} in ${collection}`);
    }
    return this.#transport.json({
      method: 'GET',
      path: itemPath(collection, id),
      query: { include: include?.join(','), minVersion },
      signal,
    });
  }

  /** In the order of `ids`; null where there is none. */
  async getItems(
    collection: string,
    ids: readonly string[],
    options: CallOptions & { include?: Include; minVersion?: number } = {},
  ): Promise<(Item | null)[]> {
    const { signal, ...settings } = options;
    const path = `${collectionPath(collection)}/get`;
    return (await this.#sendJson<GetItemsAnswer>('POST', path, { ids, ...settings }, { signal })).items;
  }

  /** All items, or those a filter takes, by id; pages are fetched as they are needed. */
  async *listItems(
    collection: string,
    options: CallOptions & {
      filter?: Filter;
      include?: Include;
      pageSize?: number;
      minVersion?: number;
    } = {},
  ): AsyncGenerator<Item> {
    let cursor: string | undefined;
    do {
      const page = await this.listItemsPage(collection, {
        ...options,
        ...(cursor === undefined ? {} : { cursor }),
      });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  listItemsPage(
    collection: string,
    options: CallOptions & {
      filter?: Filter;
      include?: Include;
      pageSize?: number;
      minVersion?: number;
      cursor?: string;
    } = {},
  ): Promise<ItemList> {
    const { filter, include, pageSize, minVersion, cursor, signal } = options;
    return this.#transport.json({
      method: 'GET',
      path: `${collectionPath(collection)}/items`,
      query: {
        limit: pageSize,
        filter: filter && JSON.stringify(filter),
        include: include?.join(','),
        minVersion,
        cursor,
      },
      signal,
    });
  }

  count(collection: string, filter?: Filter, options: CallOptions = {}): Promise<CountAnswer> {
    return this.#sendJson(
      'POST',
      `${collectionPath(collection)}/count`,
      filter === undefined ? {} : { filter },
      options,
    );
  }

  /** Deleting what is not there is no error. */
  async deleteItem(collection: string, id: string, options: CallOptions = {}): Promise<DeleteAnswer> {
    if (hasNoAddress(id)) return this.deleteItems(collection, { ids: [id] }, options);
    return this.#transport.json({ method: 'DELETE', path: itemPath(collection, id), ...options });
  }

  /** Merges `metadata` into that of the item (RFC 7396: null removes a member), losing no change of somebody else. */
  async patchItem(
    collection: string,
    id: string,
    metadata: Metadata,
    options: CallOptions & { ifVersion?: number } = {},
  ): Promise<Item> {
    const { signal, ...condition } = options;
    if (hasNoAddress(id)) {
      const { version, results } = await this.patchItems(collection, [{ id, metadata, ...condition }], {
        signal,
      });
      const [result] = results;
      if (result?.status === 'stored') return { id, version, metadata: result.metadata ?? {} };
      if (result?.status === 'conflict')
        throw new LookalikeApiError(412, 'version-conflict', `the item ${id} has changed`);
      throw new LookalikeApiError(
        404,
        result?.error?.code ?? 'unknown-item',
        `the item ${id} cannot be patched`,
      );
    }
    return this.#sendJson(
      'PATCH',
      itemPath(collection, id),
      { metadata, ...condition },
      { signal },
      { once: condition.ifVersion !== undefined },
    );
  }

  /** Many at once; see `results`. */
  patchItems(
    collection: string,
    items: PatchItems['items'],
    options: CallOptions = {},
  ): Promise<PatchAnswer> {
    const conditional = items.some(({ ifVersion }) => ifVersion !== undefined);
    const path = `${collectionPath(collection)}/patch`;
    return this.#sendJson('POST', path, { items }, options, { once: conditional });
  }

  /** By ids or by a filter. */
  deleteItems(collection: string, selection: Delete, options: CallOptions = {}): Promise<DeleteAnswer> {
    return this.#sendJson('POST', `${collectionPath(collection)}/delete`, selection, options);
  }

  /** The nearest items, nearest first. */
  async query(collection: string, query: QueryInput, options: CallOptions = {}): Promise<QueryAnswer> {
    const { picture, ...settings } = query;
    const path = `${collectionPath(collection)}/query`;
    if (picture === undefined) return this.#sendJson('POST', path, settings, options);
    const { filter, include, vector: _vector, id: _id, url: _url, ...others } = settings;
    const filterText = filter && JSON.stringify(filter);
    if ((filterText?.length ?? 0) > longestParameter) {
      return this.#sendJson('POST', path, { ...settings, image: await pictureBase64(picture) }, options);
    }
    const body = pictureBlob(picture);
    const call: Call = {
      method: 'POST',
      path,
      query: { ...others, filter: filterText, include: include?.join(',') },
      headers: { 'content-type': pictureType(body) },
      body,
      ...options,
    };
    return orByUpload(
      () => this.#transport.json<QueryAnswer>(call),
      async () =>
        this.#sendJson('POST', path, { ...settings, url: await this.upload(picture, options) }, options),
    );
  }

  /** Every item that near, nearest first; pages are fetched as they are needed. */
  async *queryRange(
    collection: string,
    query: QueryInput & { minSimilarity: number },
    options: CallOptions = {},
  ): AsyncGenerator<QueryAnswer['matches'][number]> {
    let cursor: string | undefined;
    do {
      const page = await this.query(
        collection,
        { ...query, ...(cursor === undefined ? {} : { cursor }) },
        options,
      );
      yield* page.matches;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** One answer a query, in order; one bad query never loses the others. */
  async queryBatch(
    collection: string,
    queries: readonly QueryInput[],
    options: CallOptions = {},
  ): Promise<QueryBatchAnswer['results']> {
    const bodies = await Promise.all(
      queries.map(async ({ picture, ...query }) =>
        picture === undefined ? query : { ...query, image: await pictureBase64(picture) },
      ),
    );
    const path = `${collectionPath(collection)}/query`;
    return (await this.#sendJson<QueryBatchAnswer>('POST', path, { queries: bodies }, options)).results;
  }

  /** Two pictures, or two vectors of a model. */
  async compare(
    a: PictureSource | readonly number[],
    b: PictureSource | readonly number[],
    options: CallOptions & { model?: string; threshold?: number } = {},
  ): Promise<CompareAnswer> {
    const { signal, ...settings } = options;
    if (isVector(a) || isVector(b)) {
      const body: Compare = { a: await sideOf(a), b: await sideOf(b), ...settings };
      return this.#sendJson('POST', '/v1/compare', body, { signal });
    }
    const form = new FormData();
    form.set('a', pictureBlob(a));
    form.set('b', pictureBlob(b));
    for (const [name, value] of Object.entries(settings))
      if (value !== undefined) form.set(name, String(value));
    // Into bytes at once, so that an attempt can be repeated and the hook can sign it.
    const encoded = new Response(form);
    return this.#transport.json({
      method: 'POST',
      path: '/v1/compare',
      headers: { 'content-type': encoded.headers.get('content-type') ?? 'multipart/form-data' },
      body: new Uint8Array(await encoded.arrayBuffer()),
      signal,
    });
  }

  /** Starts a search for near-duplicates; see `duplicatesPage`. */
  startDuplicates(
    collection: string,
    request: FindDuplicates = {},
    options: CallOptions = {},
  ): Promise<DuplicatesJob> {
    return this.#sendJson('POST', `${collectionPath(collection)}/duplicates`, request, options);
  }

  /** State of the job, and a page of its groups once it is done. */
  duplicatesPage(
    collection: string,
    job: string,
    options: CallOptions & { limit?: number; cursor?: string } = {},
  ): Promise<DuplicatesJob> {
    const { limit, cursor, signal } = options;
    return this.#transport.json({
      method: 'GET',
      path: `${collectionPath(collection)}/duplicates/${encodeURIComponent(job)}`,
      query: { limit, cursor },
      signal,
    });
  }

  /** Groups of near-duplicates, once the server has found them all. */
  async *duplicates(
    collection: string,
    request: FindDuplicates = {},
    options: CallOptions & { onProgress?: (progress: DuplicatesJob['progress']) => void } = {},
  ): AsyncGenerator<DuplicateGroup> {
    const { onProgress, signal } = options;
    const { job } = await this.startDuplicates(collection, request, { signal });
    let page = await this.duplicatesPage(collection, job, { signal });
    for (let delay = 50; page.status === 'running'; delay = Math.min(2 * delay, 2000)) {
      onProgress?.(page.progress);
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, delay));
      page = await this.duplicatesPage(collection, job, { signal });
    }
    if (page.status === 'failed') {
      throw new LookalikeApiError(
        500,
        page.error?.code ?? 'internal',
        page.error?.message ?? 'the search failed',
      );
    }
    for (;;) {
      yield* page.groups ?? [];
      if (page.cursor === undefined) return;
      page = await this.duplicatesPage(collection, job, { cursor: page.cursor, signal });
    }
  }

  /** Remembers of pairs of items that they are different pictures, never to be grouped; `different: false` takes it back. */
  markDifferent(
    collection: string,
    pairs: Verdict['pairs'],
    options: CallOptions & { different?: boolean } = {},
  ): Promise<VerdictAnswer> {
    const { signal, ...settings } = options;
    return this.#sendJson(
      'POST',
      `${collectionPath(collection)}/different`,
      { pairs, ...settings },
      { signal },
    );
  }

  /** Where the thumbnail of an item is. With the hash of the picture (`metadata.picture.sha256`) it may be cached for ever. */
  thumbnailUrl(collection: string, id: string, sha256?: string): string {
    return this.#transport.url(`${itemPath(collection, id)}/thumbnail`, { sha256 });
  }

  /** A WebP; where a key is needed an `<img>` cannot fetch it by itself. */
  async thumbnail(
    collection: string,
    id: string,
    options: CallOptions & { sha256?: string } = {},
  ): Promise<Blob> {
    const { sha256, signal } = options;
    const path = `${itemPath(collection, id)}/thumbnail`;
    return (await this.#transport.send({ method: 'GET', path, query: { sha256 }, signal })).blob();
  }

  #sendJson<T>(
    method: Call['method'],
    path: string,
    body: unknown,
    options: CallOptions,
    more: Pick<Call, 'once'> = {},
  ): Promise<T> {
    return this.#transport.json<T>({
      method,
      path,
      headers: json,
      body: JSON.stringify(body),
      ...options,
      ...more,
    });
  }
}

function collectionPath(name: string): string {
  return `/v1/collections/${encodeURIComponent(name)}`;
}

function itemPath(collection: string, id: string): string {
  return `${collectionPath(collection)}/items/${encodeURIComponent(id)}`;
}

function conditionOf(ifVersion: number | undefined): Record<string, string> {
  if (ifVersion === undefined) return {};
  return ifVersion === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${ifVersion}"` };
}

function isVector(side: PictureSource | readonly number[]): side is readonly number[] {
  return Array.isArray(side);
}

async function sideOf(side: PictureSource | readonly number[]): Promise<Compare['a']> {
  return isVector(side) ? { vector: [...side] } : { image: await pictureBase64(side) };
}
