import { z } from '@hono/zod-openapi';
import { LookalikeError } from '@lookalike/store';
import type { Context } from 'hono';
import { authenticate } from './access.ts';
import type { Scope } from './api-keys.ts';
import { assertAllowed } from './api-keys.ts';
import type { ApiApp, ApiEnv } from './app-context.ts';
import { problem } from './schemas-service.ts';
import { validate } from './validation.ts';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';
type Schemas = Readonly<Record<string, z.ZodType>>;

export interface RouteDefinition<Params extends z.ZodObject, Query extends z.ZodObject> {
  method: Method;
  /** With `{name}` for parameters. */
  path: string;
  /** The least a key must allow; `public`: needs no key. */
  scope: Scope | 'public';
  operationId: string;
  tag: 'Service' | 'Collections' | 'Items' | 'Query' | 'Duplicates';
  summary: string;
  description?: string;
  params?: Params;
  query?: Query;
  /** Of the request beside those of every route; documented here, read by the handler. */
  headers?: z.ZodObject;
  /** Media type -> schema; documented here, read by the handler. */
  body?: Schemas;
  bodyRequired?: boolean;
  /** Status -> what it means, its headers, and media type -> schema. Problems need no mention. */
  answers: Readonly<Record<number, { description: string; headers?: z.ZodObject; content?: Schemas }>>;
}

export interface RouteInput<Params extends z.ZodObject, Query extends z.ZodObject> {
  params: z.output<Params>;
  query: z.output<Query>;
}

const problemAnswer = {
  description: 'A problem (RFC 9457).',
  headers: z.object({
    'Retry-After': z
      .string()
      .regex(/^\d+$/)
      .optional()
      .openapi({ description: 'Of 429 and 503: seconds after which trying again makes sense.' }),
  }),
  content: { 'application/problem+json': { schema: problem } },
};

function contentOf(schemas: Schemas): Record<string, { schema: z.ZodType }> {
  return Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }]));
}

/**
 * Registers a route once for both: in the OpenAPI document, and for requests, whose key, path and query parameters are checked
 * before `handler` runs. A parameter named `collection` is what keys bound to collections are checked against.
 */
export function defineRoute<
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
>(
  app: ApiApp,
  route: RouteDefinition<Params, Query>,
  handler: (c: Context<ApiEnv>, input: RouteInput<Params, Query>) => Response | Promise<Response>,
): void {
  app.openAPIRegistry.registerPath({
    method: route.method,
    path: route.path,
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: route.scope === 'public' ? [] : [{ key: [] }],
    request: {
      ...(route.params === undefined ? {} : { params: route.params }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(route.headers === undefined ? {} : { headers: route.headers }),
      ...(route.body === undefined
        ? {}
        : { body: { content: contentOf(route.body), required: route.bodyRequired ?? true } }),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { content, ...answer }]) => [
          status,
          content === undefined ? answer : { ...answer, content: contentOf(content) },
        ]),
      ),
      '4XX': problemAnswer,
      '5XX': problemAnswer,
    },
  });
  const params = route.params ?? z.object({});
  const query = route.query ?? z.strictObject({});
  app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
    if (route.scope !== 'public') {
      const key = authenticate(c.req.raw, c.get('access'));
      if (key !== undefined) {
        assertAllowed(key, route.scope, c.req.param('collection'));
        c.set('key', key);
      }
    }
    const input = {
      params: validate(params, c.req.param()),
      query: validate(query, queryOf(c)),
    } as RouteInput<Params, Query>;
    return handler(c, input);
  });
}

function queryOf(c: Context<ApiEnv>): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length > 1) {
      throw new LookalikeError(
        'invalid-request',
        `the query parameter ${name} is given ${values.length} times`,
      );
    }
    query[name] = values[0] ?? '';
  }
  return query;
}

/** A number as a query parameter has it: decimal digits, as text. */
export function numberParameter<T extends z.ZodType<number, number>>(
  schema: T,
  type: 'integer' | 'number' = 'integer',
) {
  return z
    .string()
    .regex(/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/, 'expected a number')
    .transform(Number)
    .pipe(schema)
    .openapi({ type });
}

export const booleanParameter = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .openapi({ type: 'boolean' });

/** JSON in a query parameter; what it must be is the reader's to check. */
export const jsonParameter = z
  .string()
  .max(4096)
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected JSON' });
      return z.NEVER;
    }
  })
  .openapi({ type: 'string', description: 'JSON, percent-encoded; what is longer goes into a JSON body.' });

export const includeParameter = z
  .string()
  .transform((text) => (text === '' ? [] : text.split(',')))
  .pipe(z.array(z.enum(['metadata', 'vector'])).max(2))
  .openapi({
    type: 'string',
    example: 'metadata,vector',
    description: 'metadata, vector or both, separated by a comma.',
  });
