import type {
  CountAnswer,
  CreateUpload,
  Delete,
  DeleteAnswer,
  Filter,
  GetItemsAnswer,
  Item,
  ItemInput,
  ItemList,
  Metadata,
  PatchAnswer,
  PatchItems,
  PutItemAnswer,
  Upload,
  UpsertAnswer,
  UpsertLine,
} from '@lookalike/api/schemas';
import { LookalikeApiError } from './api-error.ts';
import { CollectionCalls } from './collection-calls.ts';
import type { IngestOptions } from './ingest.ts';
import { ingest } from './ingest.ts';
import type { PictureSource } from './pictures.ts';
import { pictureBase64, pictureBlob, pictureType } from './pictures.ts';
import { collectionPath, hasNoAddress, itemPath, longestParameter } from './resource-paths.ts';
import type { CallOptions } from './transport.ts';
import { orByUpload } from './uploads.ts';

type Include = ('metadata' | 'vector')[];

interface ListOptions extends CallOptions {
  filter?: Filter;
  include?: Include;
  pageSize?: number;
  minVersion?: number;
}

/** Items: their pictures, vectors and metadata. */
export class ItemCalls extends CollectionCalls {
  /** Stores one picture under `id`, replacing what was there; with `ifVersion` only that version, 0 being none. */
  async putPicture(
    collection: string,
    id: string,
    picture: PictureSource,
    options: CallOptions & { metadata?: Metadata; unlessSimilar?: number; ifVersion?: number } = {},
  ): Promise<PutItemAnswer> {
    const { metadata, unlessSimilar, ifVersion, signal } = options;
    const metadataText = metadata && JSON.stringify(metadata);
    const inBatch = (source: { image: string } | { url: string }) => {
      const settings = { ...(metadata && { metadata }), ...(ifVersion === undefined ? {} : { ifVersion }) };
      return this.#putByBatch(collection, { id, ...source, ...settings }, options);
    };
    const alone = () => {
      const body = pictureBlob(picture);
      return this.transport.json<PutItemAnswer>({
        method: 'PUT',
        path: itemPath(collection, id),
        query: { metadata: metadataText, unlessSimilar },
        headers: { 'content-type': pictureType(body), ...conditionOf(ifVersion) },
        body,
        signal,
        once: ifVersion !== undefined,
      });
    };
    const fitsAddress = !hasNoAddress(id) && (metadataText?.length ?? 0) <= longestParameter;
    return orByUpload(
      async () => (fitsAddress ? alone() : inBatch({ image: await pictureBase64(picture) })),
      async () => inBatch({ url: await this.upload(picture, { signal }) }),
    );
  }

  /** An address to put a picture to that is too large for a request; `upload` does both. */
  createUpload(upload: CreateUpload, options: CallOptions = {}): Promise<Upload> {
    return this.transport.sendJson('POST', '/v1/uploads', upload, options);
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
      await this.transport.send({
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
    return this.transport.sendJson('POST', path, { items, ...settings }, { signal }, { once });
  }

  /** Any number of items; yields after each commit, naming those that were not stored. */
  ingest(
    collection: string,
    items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
    options: IngestOptions = {},
  ): AsyncGenerator<UpsertLine> {
    return ingest(this.transport, `${collectionPath(collection)}/items`, items, options);
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
    return this.transport.json({
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
    return (await this.transport.sendJson<GetItemsAnswer>('POST', path, { ids, ...settings }, { signal }))
      .items;
  }

  /** All items, or those a filter takes, by id; pages are fetched as they are needed. */
  async *listItems(collection: string, options: ListOptions = {}): AsyncGenerator<Item> {
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

  listItemsPage(collection: string, options: ListOptions & { cursor?: string } = {}): Promise<ItemList> {
    const { filter, include, pageSize, minVersion, cursor, signal } = options;
    return this.transport.json({
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
    return this.transport.sendJson(
      'POST',
      `${collectionPath(collection)}/count`,
      filter === undefined ? {} : { filter },
      options,
    );
  }

  /** Deleting what is not there is no error. */
  async deleteItem(collection: string, id: string, options: CallOptions = {}): Promise<DeleteAnswer> {
    if (hasNoAddress(id)) return this.deleteItems(collection, { ids: [id] }, options);
    return this.transport.json({ method: 'DELETE', path: itemPath(collection, id), ...options });
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
    return this.transport.sendJson(
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
    return this.transport.sendJson('POST', path, { items }, options, { once: conditional });
  }

  /** By ids or by a filter. */
  deleteItems(collection: string, selection: Delete, options: CallOptions = {}): Promise<DeleteAnswer> {
    return this.transport.sendJson('POST', `${collectionPath(collection)}/delete`, selection, options);
  }

  /** Where the thumbnail of an item is. With the hash of the picture (`metadata.picture.sha256`) it may be cached for ever. */
  thumbnailUrl(collection: string, id: string, sha256?: string): string {
    return this.transport.url(`${itemPath(collection, id)}/thumbnail`, { sha256 });
  }

  /** A WebP; where a key is needed an `<img>` cannot fetch it by itself. */
  async thumbnail(
    collection: string,
    id: string,
    options: CallOptions & { sha256?: string } = {},
  ): Promise<Blob> {
    const { sha256, signal } = options;
    const path = `${itemPath(collection, id)}/thumbnail`;
    return this.transport.blob({ method: 'GET', path, query: { sha256 }, signal });
  }
}

function conditionOf(ifVersion: number | undefined): Record<string, string> {
  if (ifVersion === undefined) return {};
  return ifVersion === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${ifVersion}"` };
}
