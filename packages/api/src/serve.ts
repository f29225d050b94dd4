import type { Server } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { createAdaptorServer } from '@hono/node-server';
import { LookalikeError } from '@lookalike/store';
import { isLoopbackHost } from './access.ts';
import type { LookalikeApp } from './app.ts';

/**
 * For a process that is a server and nothing else: keeps V8's space for young objects at the size it has. It would double under
 * a stream of items up to 128 MB, of which next to nothing is alive at any time, and is never given back.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

export interface ServeOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default 8787; 0: a free one. */
  port?: number;
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8787`. */
  url: string;
  port: number;
  /** Takes no more requests, waits for those under way, at most `graceSeconds` (default 10). */
  close(graceSeconds?: number): Promise<void>;
}

/** One ingest may be a long stream; what is idle that long is not one. */
const requestTimeoutMilliseconds = 60 * 60 * 1000;

/** Bytes; a filter of the largest size, percent-encoded, is part of it. */
const maxHeaderSize = 64 * 1024;

/**
 * Serves `app` with Node's HTTP server.
 * Throws `LookalikeError`: `address-not-allowed` where an app without keys would be reachable from other machines,
 * `address-unavailable` where the address is in use or not of this machine.
 */
export async function serve(
  app: Pick<LookalikeApp, 'fetch' | 'loopbackOnly'>,
  options: ServeOptions = {},
): Promise<RunningServer> {
  const host = options.host ?? '127.0.0.1';
  const port = options.port ?? 8787;
  if (app.loopbackOnly && !isLoopbackHost(host)) {
    throw new LookalikeError(
      'address-not-allowed',
      `without keys the server listens on loopback addresses only, not on ${host}: configure a key first`,
    );
  }
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout: requestTimeoutMilliseconds, maxHeaderSize },
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'something else listens there' : cause.message;
      reject(
        new LookalikeError('address-unavailable', `cannot listen on ${host}:${port}: ${why}`, { cause }),
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`,
    port: actualPort,
    close(graceSeconds = 10) {
      return new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), graceSeconds * 1000);
        server.close(() => {
          clearTimeout(force);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
  };
}
