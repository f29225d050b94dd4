import type { OpenAPIHono } from '@hono/zod-openapi';
import type { SearchEngine } from '@lookalike/index';
import type { ObjectStore } from '@lookalike/store';
import type { Access } from './access.ts';
import type { ApiKey } from './api-keys.ts';
import type { Encoders } from './encoders.ts';
import type { Log } from './request-log.ts';
import type { Limits } from './schemas.ts';
import type { Uploads } from './uploads.ts';

export interface ApiEnv {
  Variables: {
    requestId: string;
    access: Access;
    log: Log;
    /** Missing where no key is needed. */
    key?: ApiKey;
  };
}

export type ApiApp = OpenAPIHono<ApiEnv>;

/** What the routes work with. */
export interface Services {
  engine: SearchEngine;
  /** Where thumbnails and results of jobs are kept; the same store that the engine has. */
  objects: ObjectStore;
  encoders: Encoders;
  /** Missing where there is no bucket for them. */
  uploads?: Uploads;
  limits: Limits;
  log: Log;
  /** Jobs end before the request that started them is answered. */
  inlineJobs: boolean;
  /** Of the server, for `/healthz` and the OpenAPI document. */
  version: string;
}
