import { handle, streamHandle } from 'hono/aws-lambda';
import { openApi } from './api.ts';

type Tracing = typeof import('./tracing.ts');

let tracing: Tracing | undefined;

const { host } = await openApi({
  async trace(request, answer) {
    if (tracing === undefined) {
      // The first answer does not wait for it; Lambda itself traces that one as a whole.
      setImmediate(async () => {
        tracing = await import('./tracing.ts');
      });
      return answer();
    }
    const { pathname } = new URL(request.url);
    return tracing.traced(`${request.method} ${routeOf(pathname)}`, { path: pathname }, answer);
  },
});

/** Names of collections and items left out, so that traces of one route are one group. */
function routeOf(pathname: string): string {
  return pathname
    .replace(/^(\/v1\/collections\/)[^/]+/, '$1_')
    .replace(/(\/(?:items|duplicates)\/)[^/]+/, '$1_');
}

/** Behind a function URL: answers stream. */
export const stream = streamHandle(host);
/** Behind an HTTP API. */
export const buffered = handle(host);
