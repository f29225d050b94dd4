import { serve } from '@lookalike/api';
import { openApi } from './api.ts';
import { required } from './environment.ts';
import { logger } from './telemetry.ts';

/** Milliseconds since the process started, Node's own start included. */
const codeLoaded = performance.now();

/** A Lambda Web Function: an HTTP server at the address that Lambda names, until Lambda ends it. */
const { app, host } = await openApi();
const address = required('AWS_LAMBDA_HTTP_ENDPOINT');
const separator = address.lastIndexOf(':');
const server = await serve(Object.assign(host, { loopbackOnly: app.loopbackOnly }), {
  host: address.slice(0, separator),
  port: Number(address.slice(separator + 1)),
});
logger.info('listening', { url: server.url, codeLoaded, ready: performance.now() });
process.once('SIGTERM', () => {
  server.close(2).then(() => process.exit(0));
});
