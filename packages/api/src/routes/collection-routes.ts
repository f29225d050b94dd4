import { z } from '@hono/zod-openapi';
import type { CollectionConfig, CollectionPage, HnswParameters, SearchEngine } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { ApiKey } from '../api-keys.ts';
import type { ApiApp, Services } from '../app-context.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import { defineRoute, numberParameter } from '../define-route.ts';
import { deleteDerived } from '../derived-objects.ts';
import { readJson } from '../request-body.ts';
import type { CollectionList, CreateCollection } from '../schemas.ts';
import {
  collection,
  collectionList,
  collectionStats,
  createCollectionBody,
  recallBody,
  recallReport,
} from '../schemas-collections.ts';
import { collectionName, cursor } from '../schemas-values.ts';
import { validate } from '../validation.ts';

const params = z.object({ collection: collectionName });

/** Without the keys whose value is `undefined`: absent and undefined are one in JSON. */
function definedOf(hnsw: NonNullable<CreateCollection['hnsw']>): Partial<HnswParameters> {
  return Object.fromEntries(Object.entries(hnsw).filter(([, value]) => value !== undefined));
}

async function exists(engine: SearchEngine, name: string): Promise<boolean> {
  try {
    await engine.collection(name);
    return true;
  } catch (error) {
    if (error instanceof LookalikeError && error.code === 'unknown-collection') return false;
    throw error;
  }
}

export function registerCollectionRoutes(app: ApiApp, services: Services): void {
  const { engine, encoders, limits, objects } = services;

  async function configOf(body: CreateCollection): Promise<CollectionConfig> {
    const hnsw = body.hnsw === undefined ? {} : { hnsw: definedOf(body.hnsw) };
    if (body.dimension !== undefined)
      return { dimension: body.dimension, metric: body.metric ?? 'cosine', ...hnsw };
    const { model, hash } = await encoders.describe(body.model ?? encoders.default);
    return {
      dimension: model.output.dimension,
      metric: model.metric,
      encoder: { name: model.name, hash },
      ...hnsw,
    };
  }

  /** A page of what the key is for. Where that is only some collections, the cursor names none of the others either. */
  async function listFor(
    key: ApiKey | undefined,
    limit: number,
    after: string | undefined,
  ): Promise<CollectionPage> {
    const from = (name: string | undefined) => (name === undefined ? {} : { after: name });
    const allowed = key?.collections;
    if (allowed === undefined) return engine.listCollections({ limit, ...from(after) });
    const found: CollectionPage = { collections: [], damaged: [] };
    const names: string[] = [];
    let next = after;
    do {
      const page = await engine.listCollections(from(next));
      const collections = page.collections.filter(({ name }) => allowed.includes(name));
      const damaged = page.damaged.filter(({ name }) => allowed.includes(name));
      found.collections.push(...collections);
      found.damaged.push(...damaged);
      names.push(...[...collections, ...damaged].map(({ name }) => name).sort());
      next = page.next;
    } while (next !== undefined && names.length <= limit);
    if (names.length <= limit) return found;
    const shown = new Set(names.slice(0, limit));
    return {
      collections: found.collections.filter(({ name }) => shown.has(name)),
      damaged: found.damaged.filter(({ name }) => shown.has(name)),
      next: names[limit - 1] as string,
    };
  }

  defineRoute(
    app,
    {
      method: 'put',
      path: '/v1/collections/{collection}',
      scope: 'admin',
      operationId: 'createCollection',
      tag: 'Collections',
      summary: 'Create a collection, for pictures of a model or for vectors of your own',
      description:
        'Creating it again with the same configuration changes nothing. Without a body: the default model.',
      params,
      body: { 'application/json': createCollectionBody },
      bodyRequired: false,
      answers: {
        200: { description: 'It was there already.', content: { 'application/json': collection } },
        201: { description: 'Created.', content: { 'application/json': collection } },
      },
    },
    async (c, { params: { collection: name } }) => {
      const body = validate(createCollectionBody, (await readJson(c.req.raw, limits)) ?? {});
      const config = await configOf(body);
      const created = !(await exists(engine, name));
      return c.json(await engine.createCollection(name, config), created ? 201 : 200);
    },
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections',
      scope: 'read',
      operationId: 'listCollections',
      tag: 'Collections',
      summary: 'The collections, by name',
      query: z.strictObject({
        limit: numberParameter(z.number().int().min(1).max(1000)).optional(),
        cursor: cursor.optional(),
      }),
      answers: { 200: { description: 'One page.', content: { 'application/json': collectionList } } },
    },
    async (c, { query }) => {
      const after = decodeCursor('collections', query.cursor);
      const { collections, damaged, next } = await listFor(c.get('key'), query.limit ?? 100, after);
      const answer: CollectionList = {
        collections,
        ...(damaged.length > 0 && {
          damaged: damaged.map(({ name, error }) => ({ name, code: error.code, detail: error.message })),
        }),
        ...(next === undefined ? {} : { cursor: encodeCursor('collections', next) }),
      };
      return c.json(answer);
    },
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}',
      scope: 'read',
      operationId: 'getCollection',
      tag: 'Collections',
      summary: 'Describe a collection',
      params,
      answers: { 200: { description: 'The collection.', content: { 'application/json': collection } } },
    },
    async (c, { params: { collection: name } }) => c.json((await engine.collection(name)).info),
  );

  defineRoute(
    app,
    {
      method: 'delete',
      path: '/v1/collections/{collection}',
      scope: 'admin',
      operationId: 'dropCollection',
      tag: 'Collections',
      summary: 'Drop a collection and all that is in it',
      params,
      answers: { 204: { description: 'Dropped.' } },
    },
    async (c, { params: { collection: name } }) => {
      await engine.dropCollection(name);
      await deleteDerived(objects, name);
      return c.body(null, 204);
    },
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}/stats',
      scope: 'read',
      operationId: 'collectionStats',
      tag: 'Collections',
      summary: 'Rows, segments and bytes',
      params,
      answers: { 200: { description: 'The figures.', content: { 'application/json': collectionStats } } },
    },
    async (c, { params: { collection: name } }) => c.json(await (await engine.collection(name)).stats()),
  );

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/recall',
      scope: 'read',
      operationId: 'measureRecall',
      tag: 'Collections',
      summary: 'Measure the recall of searches against the exact answers, on a sample',
      params,
      body: { 'application/json': recallBody },
      bodyRequired: false,
      answers: { 200: { description: 'What was measured.', content: { 'application/json': recallReport } } },
    },
    async (c, { params: { collection: name } }) => {
      const body = validate(recallBody, (await readJson(c.req.raw, limits)) ?? {});
      const options = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      return c.json(await (await engine.collection(name)).recall(options));
    },
  );
}
