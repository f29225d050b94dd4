import { handle, streamHandle } from 'hono/aws-lambda';
import { openApi } from './api.ts';

const { host } = await openApi();

/** Behind a function URL: answers stream. */
export const stream = streamHandle(host);
/** Behind an HTTP API. */
export const buffered = handle(host);
