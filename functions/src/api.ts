import { createApp, type LogEntry, type Uploads } from '@lookalike/api';
import { s3PictureSource, s3Uploads } from '@lookalike/ingest';
import { webRoot } from '@lookalike/web';
import { Hono } from 'hono';
import { openAccess } from './api-keys.ts';
import { parseS3Location, required } from './environment.ts';
import { openServices, s3 } from './services.ts';
import { logger, MetricUnit, metrics } from './telemetry.ts';

/** What a request runs in. */
type Trace = (request: Request, answer: () => Promise<Response>) => Promise<Response>;

/** The HTTP API as both hosts run it, each request logged and measured. */
export async function openApi({ trace = (_, answer) => answer() }: { trace?: Trace } = {}) {
  const [services, { access, refreshed }] = await Promise.all([openServices(), openAccess()]);
  const app = createApp({
    ...services,
    access,
    uploads: openUploads(),
    corsOrigins: (process.env.LOOKALIKE_CORS_ORIGINS ?? '').split(',').filter((origin) => origin !== ''),
    // Lambda may stop a function as soon as it has answered.
    inlineJobs: true,
    webRoot,
    log: logFailure,
  });
  const host = new Hono();
  host.all('*', async (c) => {
    const started = performance.now();
    await refreshed();
    const response = await trace(c.req.raw, async () => app.fetch(c.req.raw));
    measure(c.req.raw, response, performance.now() - started);
    return response;
  });
  return { app, host };
}

function openUploads(): Uploads {
  const { bucket, prefix } = parseS3Location(required('LOOKALIKE_UPLOADS'));
  const sourceOf = (maxBytes: number) => s3PictureSource({ client: s3, bucket, maxBytes });
  return s3Uploads({ bucket, prefix, sourceOf });
}

function logFailure({ error, ...entry }: LogEntry): void {
  logger.error('failed', { ...entry, error: error as Error });
}

function measure(request: Request, response: Response, milliseconds: number): void {
  const { status, headers } = response;
  const path = new URL(request.url).pathname;
  logger.info('request', {
    method: request.method,
    path,
    status,
    milliseconds,
    requestId: headers.get('x-request-id'),
  });
  metrics.addMetric('RequestMilliseconds', MetricUnit.Milliseconds, milliseconds);
  metrics.addMetric('ServerErrors', MetricUnit.Count, status >= 500 && status !== 503 ? 1 : 0);
  metrics.addMetric('Throttled', MetricUnit.Count, status === 429 || status === 503 ? 1 : 0);
  metrics.publishStoredMetrics();
}
