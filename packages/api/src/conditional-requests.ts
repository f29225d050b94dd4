import type { Context } from 'hono';
import type { ApiEnv } from './app-context.ts';

/** Whether `If-None-Match` names `etag`. Compares weakly, as RFC 9110 (13.1.2) wants it for this header. */
export function matchesEtag(c: Context<ApiEnv>, etag: string): boolean {
  const given = c.req.header('if-none-match');
  if (given === undefined) return false;
  return given.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
