import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the built page: `index.html` and hashed files under `assets/`, for a server to serve at `/`.
 * Made by `npm run build -w @lookalike/web`; the folder is missing before that.
 */
export const webRoot: string = fileURLToPath(new URL('../dist', import.meta.url));

/**
 * What the page needs and nothing more: no inline scripts, no other hosts. The built `index.html` carries the same
 * policy itself; a server sends it as a header with `frame-ancestors 'none'`, which only a header can say.
 */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
