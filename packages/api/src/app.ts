import { OpenAPIHono } from '@hono/zod-openapi';
import type { SearchEngine } from '@lookalike/index';
import type { ObjectStore } from '@lookalike/store';
import { LookalikeError } from '@lookalike/store';
import { cors } from 'hono/cors';
import packageJson from '../package.json' with { type: 'json' };
import type { Access } from './access.ts';
import { assertRequestOrigin } from './access.ts';
import type { ApiEnv, Services } from './app-context.ts';
import type { Encoders } from './encoders.ts';
import type { AdjustableLimits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import { problemResponse } from './problems.ts';
import { assertReadable } from './request-body.ts';
import type { Log } from './request-log.ts';
import { logFailure, logToStderr } from './request-log.ts';
import { registerCollectionRoutes } from './routes/collection-routes.ts';
import { registerCompareRoutes } from './routes/compare-routes.ts';
import { registerDocumentRoutes } from './routes/document-routes.ts';
import { registerDuplicateRoutes } from './routes/duplicate-routes.ts';
import { registerExchangeRoutes } from './routes/exchange-routes.ts';
import { registerItemReadRoutes } from './routes/item-read-routes.ts';
import { registerItemWriteRoutes } from './routes/item-write-routes.ts';
import { registerQueryRoutes } from './routes/query-routes.ts';
import { registerServiceRoutes } from './routes/service-routes.ts';
import { registerThumbnailRoutes } from './routes/thumbnail-routes.ts';
import { registerUploadRoutes } from './routes/upload-routes.ts';
import type { Uploads } from './uploads.ts';
import { registerWebPage } from './web-page.ts';

export interface AppOptions {
  engine: SearchEngine;
  /** The store of the engine: thumbnails and results of jobs are kept there too. */
  objects: ObjectStore;
  encoders: Encoders;
  /** For pictures too large for a request. Default: none; requests take whole pictures. */
  uploads?: Uploads;
  /** Default: no key, only from this machine. */
  access?: Access;
  /** Origins of other pages that may use the API from a browser, such as `https://example.com`. Default: none. */
  corsOrigins?: readonly string[];
  limits?: AdjustableLimits;
  /** Finish jobs before answering the request that starts them: for platforms that stop between requests. Default false. */
  inlineJobs?: boolean;
  /** Folder of the built web page, served at `/`. */
  webRoot?: string;
  /** Default: lines of JSON on the standard error, only of what failed inside the server. */
  log?: Log;
}

export type LookalikeApp = OpenAPIHono<ApiEnv> & {
  /** It has no keys and must not be reachable from elsewhere. */
  readonly loopbackOnly: boolean;
};

const givenRequestId = /^[\w.-]{1,128}$/;

/** The HTTP API as a Hono application: runs under Node (`serve`), Lambda or in a test by `app.request`. */
export function createApp(options: AppOptions): LookalikeApp {
  const access: Access = options.access ?? { kind: 'loopback' };
  const corsOrigins = options.corsOrigins ?? [];
  const log = options.log ?? logToStderr;
  const services: Services = {
    engine: options.engine,
    objects: options.objects,
    encoders: options.encoders,
    ...(options.uploads === undefined ? {} : { uploads: options.uploads }),
    limits: { ...defaultLimits, ...options.limits },
    log,
    inlineJobs: options.inlineJobs ?? false,
    version: packageJson.version,
  };
  const app = new OpenAPIHono<ApiEnv>();

  app.onError((error, c) => {
    logFailure(c, error);
    return problemResponse(error, c.get('requestId'));
  });

  let underWay = 0;
  app.use(async (c, next) => {
    const given = c.req.header('x-request-id');
    c.set('requestId', given !== undefined && givenRequestId.test(given) ? given : crypto.randomUUID());
    c.set('access', access);
    c.set('log', log);
    c.header('x-request-id', c.get('requestId'));
    c.header('x-content-type-options', 'nosniff');
    assertRequestOrigin(c.req.raw, access, corsOrigins);
    assertReadable(c.req.raw);
    if (c.req.path === '/healthz') return next();
    if (underWay >= services.limits.concurrentRequests) {
      throw new LookalikeError('overloaded', `the server has ${underWay} requests under way; try again`);
    }
    underWay++;
    try {
      await next();
    } finally {
      underWay--;
    }
  });

  if (corsOrigins.length > 0) {
    app.use(
      '/v1/*',
      cors({
        origin: [...corsOrigins],
        allowHeaders: ['authorization', 'content-type', 'if-match', 'if-none-match', 'x-request-id'],
        exposeHeaders: ['etag', 'link', 'location', 'retry-after', 'x-request-id'],
        maxAge: 600,
      }),
    );
  }

  registerServiceRoutes(app, services);
  registerCollectionRoutes(app, services);
  registerItemWriteRoutes(app, services);
  registerItemReadRoutes(app, services);
  registerThumbnailRoutes(app, services);
  registerQueryRoutes(app, services);
  registerCompareRoutes(app, services);
  registerDuplicateRoutes(app, services);
  registerExchangeRoutes(app, services);
  registerUploadRoutes(app, services);
  registerDocumentRoutes(app, services);
  const known = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => ({
      method,
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`),
    }));
  if (options.webRoot !== undefined) registerWebPage(app, options.webRoot);

  app.notFound((c) => {
    const methods = known.filter(({ pattern }) => pattern.test(c.req.path)).map(({ method }) => method);
    const requestId = c.get('requestId');
    if (methods.length === 0) {
      return problemResponse(new LookalikeError('unknown-route', `there is no ${c.req.path}`), requestId);
    }
    const allow = [...new Set(methods)].join(', ');
    const response = problemResponse(
      new LookalikeError('method-not-allowed', `${c.req.path} takes ${allow}, not ${c.req.method}`),
      requestId,
    );
    response.headers.set('allow', allow);
    return response;
  });

  return Object.assign(app, { loopbackOnly: access.kind === 'loopback' });
}
