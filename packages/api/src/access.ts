import { LookalikeError } from '@lookalike/store';
import type { ApiKey } from './api-keys.ts';
import { findApiKey } from './api-keys.ts';

/**
 * Who may use the API.
 * - `loopback`: no key; only from this machine. Requests for another host name are refused, else a page on the web could
 *   point its own name at 127.0.0.1 and read what is here (DNS rebinding).
 * - `keys`: bearer keys.
 * - `upstream`: whatever stands in front (AWS IAM, a proxy) has decided; everything that arrives is allowed.
 */
export type Access = { kind: 'loopback' } | { kind: 'keys'; keys: readonly ApiKey[] } | { kind: 'upstream' };

/** `host` without port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
  );
}

/** Throws `host-not-allowed` or `origin-not-allowed`. */
export function assertRequestOrigin(request: Request, access: Access, corsOrigins: readonly string[]): void {
  const url = new URL(request.url);
  if (access.kind === 'loopback' && !isLoopbackHost(url.hostname)) {
    throw new LookalikeError(
      'host-not-allowed',
      `without keys the server answers only to localhost and loopback addresses, not to ${url.hostname}; configure a key`,
    );
  }
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const origin = request.headers.get('origin');
  if (origin === null || corsOrigins.includes(origin)) return;
  // Compared without the scheme: a proxy may have ended TLS, then the server sees http where the page is https.
  if (URL.canParse(origin) && new URL(origin).host === url.host) return;
  throw new LookalikeError(
    'origin-not-allowed',
    `a page of ${origin} may not write here; see the option for CORS`,
  );
}

/** The key of the request; `undefined` where none is needed. Throws `unauthorized`. */
export function authenticate(request: Request, access: Access): ApiKey | undefined {
  if (access.kind !== 'keys') return undefined;
  const presented = /^Bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (presented === undefined) {
    throw new LookalikeError('unauthorized', 'expected a header "Authorization: Bearer <key>"');
  }
  const key = findApiKey(access.keys, presented);
  if (key === undefined) throw new LookalikeError('unauthorized', 'the key is not known');
  return key;
}
