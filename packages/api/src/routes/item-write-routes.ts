import { z } from '@hono/zod-openapi';
import type { Filter } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { ApiApp, Services } from '../app-context.ts';
import { ifVersionOf, itemEtag, writeConditions } from '../conditional-requests.ts';
import { defineRoute, jsonParameter, numberParameter } from '../define-route.ts';
import type { Ingested } from '../item-ingest.ts';
import { ItemBatch } from '../item-ingest.ts';
import { patchItems } from '../item-patch.ts';
import { ingestStream } from '../item-stream.ts';
import { isPictureType, mediaTypeOf, readBytes, readJson, unsupportedMediaType } from '../request-body.ts';
import { logFailure } from '../request-log.ts';
import type { PutItemAnswer, UpsertAnswer } from '../schemas.ts';
import {
  deleteAnswer,
  deleteBody,
  item,
  itemInput,
  patchAnswer,
  patchItemBody,
  patchItemsBody,
  putItemAnswer,
  putItemBody,
  unlessSimilar,
  upsertAnswer,
  upsertBody,
  upsertLine,
} from '../schemas-items.ts';
import { metadata } from '../schemas-values.ts';
import { assertFilter, validate } from '../validation.ts';
import { collectionParams, itemParams, ndjson, unknownItem } from './item-params.ts';

/** Checked one by one later, so that one bad item does not lose the others. */
const upsertEnvelope = z.strictObject({
  ...upsertBody.shape,
  items: z.array(z.unknown()).min(1).max(10_000),
});

function versionConflict(id: string, version: number | undefined): LookalikeError {
  const now = version === undefined ? 'is not there' : `is at version ${version}`;
  return new LookalikeError('version-conflict', `the item ${id} ${now}`, {
    details: { version: version ?? null },
  });
}

function assertNoProblem({ version: at, results }: Ingested): PutItemAnswer {
  const [result] = results;
  if (result === undefined) throw new Error('no result of the item');
  if (result.status === 'invalid') {
    throw new LookalikeError(
      result.error?.code ?? 'invalid-request',
      result.error?.message ?? 'the item is not valid',
    );
  }
  if (result.status === 'conflict') {
    throw versionConflict(result.id, result.version);
  }
  return { ...result, status: result.status, version: at };
}

/** What stores, changes and deletes items. */
export function registerItemWriteRoutes(app: ApiApp, services: Services): void {
  const { engine, limits } = services;

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/items',
      scope: 'write',
      operationId: 'upsertItems',
      tag: 'Items',
      summary: 'Store a batch of pictures or vectors, replacing those of the same ids',
      description:
        'One bad item never loses the others: see the results. As NDJSON, a body of any length with an item a line; ' +
        'the answer has a line a commit.',
      params: collectionParams,
      query: z.strictObject({
        unlessSimilar: numberParameter(unlessSimilar, 'number').optional(),
        encoder: z.string().max(128).optional(),
      }),
      body: { 'application/json': upsertBody, [ndjson]: itemInput },
      answers: {
        200: {
          description: 'What became of each item.',
          content: { 'application/json': upsertAnswer, [ndjson]: upsertLine },
        },
      },
    },
    async (c, { params, query }) => {
      const collection = await engine.collection(params.collection);
      const request = c.req.raw;
      if (mediaTypeOf(request) === ndjson) {
        const body = ingestStream(services, collection, request, {
          ...query,
          signal: request.signal,
          requestId: c.get('requestId'),
          log: (error) => logFailure(c, error),
        });
        return c.body(body, 200, { 'content-type': ndjson });
      }
      const body = validate(upsertEnvelope, await readJson(request, limits));
      const batch = new ItemBatch(services, collection, {
        unlessSimilar: body.unlessSimilar ?? query.unlessSimilar,
        encoder: body.encoder ?? query.encoder,
        signal: request.signal,
      });
      for (const one of body.items) batch.add(one);
      const { version: at, results } = await batch.commit();
      const stored = results.filter(({ status }) => status === 'stored').length;
      const answer: UpsertAnswer = { version: at, stored, results };
      return c.json(answer);
    },
  );

  defineRoute(
    app,
    {
      method: 'put',
      path: '/v1/collections/{collection}/items/{id}',
      scope: 'write',
      operationId: 'putItem',
      tag: 'Items',
      summary: 'Store one picture, the body being its file, or one vector as JSON',
      description:
        '`If-Match: "<version>"` stores it only where the item has that version, `If-None-Match: *` only where there is none.',
      params: itemParams,
      query: z.strictObject({
        metadata: jsonParameter.optional(),
        unlessSimilar: numberParameter(unlessSimilar, 'number').optional(),
      }),
      headers: writeConditions,
      body: {
        'image/*': z.string().openapi({ format: 'binary' }),
        'application/octet-stream': z.string().openapi({ format: 'binary' }),
        'application/json': putItemBody,
      },
      answers: {
        200: { description: 'Stored, or similar.', content: { 'application/json': putItemAnswer } },
      },
    },
    async (c, { params: { collection: name, id }, query }) => {
      const collection = await engine.collection(name);
      const request = c.req.raw;
      const type = mediaTypeOf(request);
      const batch = new ItemBatch(services, collection, {
        unlessSimilar: query.unlessSimilar,
        signal: request.signal,
      });
      const condition = ifVersionOf(c);
      if (type === 'application/json') {
        const body = validate(putItemBody, await readJson(request, limits));
        batch.add({ id, ...body, ...condition });
        return c.json(assertNoProblem(await batch.commit()));
      }
      if (!isPictureType(type))
        throw unsupportedMediaType(type, 'image/*, application/octet-stream or application/json');
      const given = query.metadata === undefined ? {} : { metadata: validate(metadata, query.metadata) };
      const picture = await readBytes(request, limits.pictureBytes);
      batch.addPicture({ id, picture, ...given, ...condition });
      return c.json(assertNoProblem(await batch.commit()));
    },
  );

  defineRoute(
    app,
    {
      method: 'delete',
      path: '/v1/collections/{collection}/items/{id}',
      scope: 'write',
      operationId: 'deleteItem',
      tag: 'Items',
      summary: 'Delete one item',
      description: 'Deleting what is not there is no error: `deleted` is 0.',
      params: itemParams,
      answers: { 200: { description: 'Deleted.', content: { 'application/json': deleteAnswer } } },
    },
    async (c, { params: { collection: name, id } }) => {
      if (c.req.header('if-match') !== undefined) {
        throw new LookalikeError('invalid-request', 'a delete takes no If-Match');
      }
      return c.json(await (await engine.collection(name)).delete({ ids: [id] }));
    },
  );

  defineRoute(
    app,
    {
      method: 'patch',
      path: '/v1/collections/{collection}/items/{id}',
      scope: 'write',
      operationId: 'patchItem',
      tag: 'Items',
      summary: 'Change some of the metadata of an item',
      description:
        'Never loses a change of somebody else. With `ifVersion`, or `If-Match: "<version>"`, only at that version.',
      params: itemParams,
      headers: writeConditions.pick({ 'If-Match': true }),
      body: { 'application/json': patchItemBody },
      answers: {
        200: {
          description: 'The item as it is now.',
          headers: itemEtag,
          content: { 'application/json': item },
        },
      },
    },
    async (c, { params: { collection: name, id } }) => {
      const body = validate(patchItemBody, await readJson(c.req.raw, limits));
      const collection = await engine.collection(name);
      const { version: at, results } = await patchItems(collection, [{ id, ...body, ...ifVersionOf(c) }]);
      const [result] = results;
      if (result === undefined || result.status === 'missing') throw unknownItem(name, id);
      if (result.status === 'conflict') throw versionConflict(id, result.version);
      if (result.status === 'invalid')
        throw new LookalikeError(result.error?.code ?? '', result.error?.message ?? '');
      return c.json({ id, version: at, metadata: result.metadata ?? {} }, 200, { etag: `"${at}"` });
    },
  );

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/patch',
      scope: 'write',
      operationId: 'patchItems',
      tag: 'Items',
      summary: 'Change some of the metadata of many items',
      params: collectionParams,
      body: { 'application/json': patchItemsBody },
      answers: { 200: { description: 'What became of each.', content: { 'application/json': patchAnswer } } },
    },
    async (c, { params }) => {
      const { items } = validate(patchItemsBody, await readJson(c.req.raw, limits));
      return c.json(await patchItems(await engine.collection(params.collection), items));
    },
  );

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/delete',
      scope: 'write',
      operationId: 'deleteItems',
      tag: 'Items',
      summary: 'Delete items by ids or by a filter',
      params: collectionParams,
      body: { 'application/json': deleteBody },
      answers: { 200: { description: 'Deleted.', content: { 'application/json': deleteAnswer } } },
    },
    async (c, { params }) => {
      const raw = await readJson(c.req.raw, limits);
      assertFilter(raw);
      const body = validate(deleteBody, raw);
      const collection = await engine.collection(params.collection);
      return c.json(
        await collection.delete(
          body.ids === undefined ? { filter: body.filter as Filter } : { ids: body.ids },
        ),
      );
    },
  );
}
