import type { Compare, CompareAnswer, Query, QueryAnswer, QueryBatchAnswer } from '@lookalike/api/schemas';
import { ItemCalls } from './item-calls.ts';
import type { PictureSource } from './pictures.ts';
import { pictureBase64, pictureBlob, pictureType } from './pictures.ts';
import { collectionPath, longestParameter } from './resource-paths.ts';
import type { CallOptions } from './transport.ts';
import { orByUpload } from './uploads.ts';

/** What a query asks for: a picture (as bytes), a vector or an item. */
export type QueryInput = Omit<Query, 'image'> & { picture?: PictureSource };

/** What is alike to a picture or vector. */
export class QueryCalls extends ItemCalls {
  /** The nearest items, nearest first. */
  async query(collection: string, query: QueryInput, options: CallOptions = {}): Promise<QueryAnswer> {
    const { picture, ...settings } = query;
    const path = `${collectionPath(collection)}/query`;
    if (picture === undefined) return this.transport.sendJson('POST', path, settings, options);
    const inJson = (source: { image: string } | { url: string }) =>
      this.transport.sendJson<QueryAnswer>('POST', path, { ...settings, ...source }, options);
    const { filter, include, vector: _vector, id: _id, url: _url, ...others } = settings;
    const filterText = filter && JSON.stringify(filter);
    const alone = () => {
      const body = pictureBlob(picture);
      return this.transport.json<QueryAnswer>({
        method: 'POST',
        path,
        query: { ...others, filter: filterText, include: include?.join(',') },
        headers: { 'content-type': pictureType(body) },
        body,
        ...options,
      });
    };
    const fitsAddress = (filterText?.length ?? 0) <= longestParameter;
    return orByUpload(
      async () => (fitsAddress ? alone() : inJson({ image: await pictureBase64(picture) })),
      async () => inJson({ url: await this.upload(picture, options) }),
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
    return (await this.transport.sendJson<QueryBatchAnswer>('POST', path, { queries: bodies }, options))
      .results;
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
      return this.transport.sendJson('POST', '/v1/compare', body, { signal });
    }
    const form = new FormData();
    form.set('a', pictureBlob(a));
    form.set('b', pictureBlob(b));
    for (const [name, value] of Object.entries(settings))
      if (value !== undefined) form.set(name, String(value));
    // Into bytes at once, so that an attempt can be repeated and the hook can sign it.
    const encoded = new Response(form);
    return this.transport.json({
      method: 'POST',
      path: '/v1/compare',
      headers: { 'content-type': encoded.headers.get('content-type') ?? 'multipart/form-data' },
      body: new Uint8Array(await encoded.arrayBuffer()),
      signal,
    });
  }
}

function isVector(side: PictureSource | readonly number[]): side is readonly number[] {
  return Array.isArray(side);
}

async function sideOf(side: PictureSource | readonly number[]): Promise<Compare['a']> {
  return isVector(side) ? { vector: [...side] } : { image: await pictureBase64(side) };
}
