import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the built page: `index.html` and hashed files under `assets/`, for a server to serve at `/`.
 * Made by `npm run build -w @lookalike/web`; the folder is missing before that.
 */
export const webRoot: string = fileURLToPath(new URL('../dist', import.meta.url));
