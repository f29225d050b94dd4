import { z } from '@hono/zod-openapi';
import type { Collection, QueryRequest, QueryResult } from '@lookalike/index';
import { parseFilter } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { ApiApp, Services } from '../app-context.ts';
import {
  booleanParameter,
  defineRoute,
  includeParameter,
  jsonParameter,
  numberParameter,
} from '../define-route.ts';
import { encoderOf } from '../encoders.ts';
import { matchAnswer } from '../item-answer.ts';
import {
  type EncodedPicture,
  encodePicture,
  encodePictures,
  pictureFromBase64,
} from '../picture-encoding.ts';
import { isServerFailure, itemErrorOf } from '../problems.ts';
import { isPictureType, mediaTypeOf, readBytes, readJson, unsupportedMediaType } from '../request-body.ts';
import type { Picture, Query, QueryAnswer, QueryBatchAnswer } from '../schemas.ts';
import { queryAnswer, queryBatch, queryBatchAnswer, querySettings, singleQuery } from '../schemas-query.ts';
import { collectionName, similarity, version } from '../schemas-values.ts';
import { encodeUploads } from '../uploads.ts';
import { assertFilter, validate } from '../validation.ts';

const params = z.object({ collection: collectionName });

/** The settings of a query as query parameters, for a body that is the picture. */
const pictureQuery = z.strictObject({
  topK: numberParameter(querySettings.topK.unwrap()).optional(),
  minSimilarity: numberParameter(similarity, 'number').optional(),
  filter: jsonParameter.optional(),
  include: includeParameter.optional(),
  consistency: querySettings.consistency,
  minVersion: numberParameter(version).optional(),
  exact: booleanParameter.optional(),
  ef: numberParameter(querySettings.ef.unwrap()).optional(),
  cursor: querySettings.cursor,
  explain: booleanParameter.optional(),
});

type Ready = { request: QueryRequest; picture?: Picture };

function answerOf(result: QueryResult, picture: Picture | undefined): QueryAnswer {
  const { matches, receipt, ...rest } = result;
  return {
    matches: matches.map(matchAnswer),
    ...rest,
    ...(picture === undefined ? {} : { picture }),
    ...(receipt === undefined ? {} : { receipt }),
  };
}

/** Without the keys whose value is `undefined`. */
function settingsOf({ image: _image, url: _url, vector: _vector, ...settings }: Query): QueryRequest {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** Runs them in one go; where one is refused, each on its own, so that the others get their answer. */
async function runAll(
  collection: Collection,
  requests: readonly QueryRequest[],
): Promise<(QueryResult | { error: { code: string; message: string } })[]> {
  if (requests.length === 0) return [];
  try {
    return await collection.queryBatch(requests);
  } catch (error) {
    if (isServerFailure(error)) throw error;
    return Promise.all(
      requests.map((request) => collection.query(request).catch((one) => ({ error: itemErrorOf(one) }))),
    );
  }
}

export function registerQueryRoutes(app: ApiApp, services: Services): void {
  const { engine, encoders, limits } = services;

  /** Pictures become vectors, all of them in one call of the encoder. */
  async function ready(
    collection: Collection,
    queries: readonly Query[],
    signal: AbortSignal,
  ): Promise<(Ready | { error: { code: string; message: string } })[]> {
    const pictures: Uint8Array[] = [];
    const urls: string[] = [];
    const prepared = queries.map((query): (() => Ready) | { error: { code: string; message: string } } => {
      if (query.vector !== undefined) {
        const request = { ...settingsOf(query), vector: new Float32Array(query.vector) };
        return () => ({ request });
      }
      const { image, url } = query;
      if (image === undefined && url === undefined) return () => ({ request: settingsOf(query) });
      try {
        const place =
          url === undefined
            ? pictures.push(pictureFromBase64(image ?? '', limits.pictureBytes)) - 1
            : urls.push(url) - 1;
        return () => {
          const result = (url === undefined ? encoded : uploaded)[place];
          if (result === undefined) throw new Error('the encoder gave too few results');
          if (!result.ok) throw new LookalikeError(result.error.code, result.error.message);
          return { request: { ...settingsOf(query), vector: result.embedding }, picture: result.picture };
        };
      } catch (error) {
        return { error: itemErrorOf(error) };
      }
    });
    let encoded: EncodedPicture[] = [];
    let uploaded: EncodedPicture[] = [];
    if (pictures.length + urls.length > 0) {
      const encoder = await encoderOf(collection.info, encoders);
      encoded = await encodePictures(encoder, pictures, signal);
      uploaded = await encodeUploads(services, encoder, urls, signal, (result) => result);
    }
    return prepared.map((one) => {
      if (typeof one !== 'function') return one;
      try {
        return one();
      } catch (error) {
        return { error: itemErrorOf(error) };
      }
    });
  }

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/query',
      scope: 'read',
      operationId: 'query',
      tag: 'Query',
      summary: 'Find the nearest items to a picture, a vector or an item',
      description:
        'One query, or up to 100 as `{"queries": […]}`. The body may also be the picture itself, with the settings as ' +
        'query parameters.',
      params,
      query: pictureQuery,
      body: {
        'application/json': z.union([singleQuery, queryBatch]),
        'image/*': z.string().openapi({ format: 'binary' }),
        'application/octet-stream': z.string().openapi({ format: 'binary' }),
      },
      answers: {
        200: {
          description: 'The matches; of a batch, one answer a query.',
          content: { 'application/json': z.union([queryAnswer, queryBatchAnswer]) },
        },
      },
    },
    async (c, { params: { collection: name }, query }) => {
      const collection = await engine.collection(name);
      const request = c.req.raw;
      const type = mediaTypeOf(request);
      if (isPictureType(type)) {
        const { filter: rawFilter, ...settings } = query;
        const filter = rawFilter === undefined ? {} : { filter: parseFilter(rawFilter) };
        const encoder = await encoderOf(collection.info, encoders);
        const bytes = await readBytes(request, limits.pictureBytes);
        const { embedding, picture } = await encodePicture(encoder, bytes, request.signal);
        const result = await collection.query({
          ...settingsOf({ ...settings, ...filter }),
          vector: embedding,
        });
        return c.json(answerOf(result, picture));
      }
      if (type !== 'application/json') {
        throw unsupportedMediaType(type, 'application/json, image/* or application/octet-stream');
      }
      if (Object.keys(c.req.query()).length > 0) {
        throw new LookalikeError(
          'invalid-request',
          'query parameters go with a picture as body; put them into the JSON',
        );
      }
      const raw = await readJson(request, limits);
      if (typeof raw === 'object' && raw !== null && 'queries' in raw) {
        for (const one of Array.isArray(raw.queries) ? raw.queries : []) assertFilter(one);
        const { queries } = validate(queryBatch, raw);
        const prepared = await ready(collection, queries, request.signal);
        const runnable = prepared.filter((one) => 'request' in one);
        const results = await runAll(
          collection,
          runnable.map((one) => one.request),
        );
        let next = 0;
        const answer: QueryBatchAnswer = {
          results: prepared.map((one) => {
            if (!('request' in one)) return one;
            const result = results[next++];
            if (result === undefined) throw new Error('the engine gave too few results');
            return 'error' in result ? result : answerOf(result, one.picture);
          }),
        };
        return c.json(answer);
      }
      assertFilter(raw);
      const [one] = await ready(collection, [validate(singleQuery, raw)], request.signal);
      if (one === undefined) throw new Error('no query');
      if ('error' in one) throw new LookalikeError(one.error.code, one.error.message);
      return c.json(answerOf(await collection.query(one.request), one.picture));
    },
  );
}
