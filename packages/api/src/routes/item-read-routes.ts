import { z } from '@hono/zod-openapi';
import type { ScanRequest, StoredItem } from '@lookalike/index';
import { parseFilter } from '@lookalike/index';
import type { Context } from 'hono';
import type { ApiApp, ApiEnv, Services } from '../app-context.ts';
import { itemEtag, matchesEtag, readConditions } from '../conditional-requests.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import { defineRoute, includeParameter, jsonParameter, numberParameter } from '../define-route.ts';
import { itemAnswer } from '../item-answer.ts';
import { streamItems } from '../item-listing.ts';
import { readJson } from '../request-body.ts';
import type { CountAnswer, GetItemsAnswer, ItemList } from '../schemas.ts';
import { countAnswer, countBody, getItemsAnswer, getItemsBody, item, itemList } from '../schemas-items.ts';
import { cursor, version } from '../schemas-values.ts';
import { assertFilter, validate } from '../validation.ts';
import { collectionParams, itemParams, ndjson, unknownItem } from './item-params.ts';

/** Items as they are: one, many, all, and how many. */
export function registerItemReadRoutes(app: ApiApp, services: Services): void {
  const { engine, limits } = services;

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}/items',
      scope: 'read',
      operationId: 'listItems',
      tag: 'Items',
      summary: 'List the items by id',
      description: 'With `Accept: application/x-ndjson` all of them, or the first `limit`, in one stream.',
      params: collectionParams,
      query: z.strictObject({
        limit: numberParameter(z.number().int().min(1).max(10_000)).optional(),
        cursor: cursor.optional(),
        filter: jsonParameter.optional(),
        include: includeParameter.optional(),
        minVersion: numberParameter(version).optional(),
      }),
      answers: {
        200: { description: 'One page.', content: { 'application/json': itemList, [ndjson]: item } },
      },
    },
    async (c, { params, query }) => {
      const collection = await engine.collection(params.collection);
      const after = decodeCursor('items', query.cursor);
      const request: ScanRequest = {
        ...(after === undefined ? {} : { after }),
        ...(query.filter === undefined ? {} : { filter: parseFilter(query.filter) }),
        ...(query.include === undefined ? {} : { include: query.include }),
        ...(query.minVersion === undefined ? {} : { minVersion: query.minVersion }),
      };
      if (wantsNdjson(c)) {
        return c.body(streamItems(collection, request, query.limit), 200, { 'content-type': ndjson });
      }
      const page = await collection.scan({ ...request, limit: query.limit ?? 100 });
      const answer: ItemList = {
        items: page.items.map(itemAnswer),
        version: page.version,
        ...(page.next === undefined ? {} : { cursor: encodeCursor('items', page.next) }),
      };
      return c.json(answer);
    },
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}/items/{id}',
      scope: 'read',
      operationId: 'getItem',
      tag: 'Items',
      summary: 'One item',
      params: itemParams,
      query: z.strictObject({
        include: includeParameter.optional(),
        minVersion: numberParameter(version).optional(),
      }),
      headers: readConditions,
      answers: {
        200: { description: 'The item.', headers: itemEtag, content: { 'application/json': item } },
        304: { description: 'Still the version that `If-None-Match` names.', headers: itemEtag },
      },
    },
    async (c, { params: { collection: name, id }, query }) => {
      const found = await getOne(name, id, query);
      const etag = `"${found.version}"`;
      if (matchesEtag(c, etag)) return c.body(null, 304, { etag });
      return c.json(itemAnswer(found), 200, { etag });
    },
  );

  async function getOne(
    name: string,
    id: string,
    options: { include?: ('metadata' | 'vector')[] | undefined; minVersion?: number | undefined } = {},
  ): Promise<StoredItem> {
    const collection = await engine.collection(name);
    const [found] = await collection.get([id], {
      include: options.include ?? ['metadata'],
      ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
    });
    if (found === undefined) throw unknownItem(name, id);
    return found;
  }

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/get',
      scope: 'read',
      operationId: 'getItems',
      tag: 'Items',
      summary: 'Many items by their ids',
      params: collectionParams,
      body: { 'application/json': getItemsBody },
      answers: { 200: { description: 'The items.', content: { 'application/json': getItemsAnswer } } },
    },
    async (c, { params }) => {
      const { ids, include, minVersion } = validate(getItemsBody, await readJson(c.req.raw, limits));
      const collection = await engine.collection(params.collection);
      const items = await collection.get(ids, {
        include: include ?? ['metadata'],
        ...(minVersion === undefined ? {} : { minVersion }),
      });
      const answer: GetItemsAnswer = {
        items: items.map((one) => (one === undefined ? null : itemAnswer(one))),
      };
      return c.json(answer);
    },
  );

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/count',
      scope: 'read',
      operationId: 'countItems',
      tag: 'Items',
      summary: 'Count the items, or those a filter takes',
      params: collectionParams,
      body: { 'application/json': countBody },
      bodyRequired: false,
      answers: { 200: { description: 'The count.', content: { 'application/json': countAnswer } } },
    },
    async (c, { params }) => {
      const raw = (await readJson(c.req.raw, limits)) ?? {};
      assertFilter(raw);
      const { filter } = validate(countBody, raw);
      const answer: CountAnswer = await (await engine.collection(params.collection)).count(filter);
      return c.json(answer);
    },
  );
}

function wantsNdjson(c: Context<ApiEnv>): boolean {
  return (c.req.header('accept') ?? '').includes(ndjson);
}
