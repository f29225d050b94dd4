import { z } from '@hono/zod-openapi';
import { LookalikeError } from '@lookalike/store';
import type { Context } from 'hono';
import type { ApiEnv } from './app-context.ts';

/** Of a read: `matchesEtag`. */
export const readConditions = z.object({
  'If-None-Match': z
    .string()
    .optional()
    .openapi({ description: 'ETags, separated by commas, or `*`: 304 where one is that of the answer.' }),
});

/** Of a write: `ifVersionOf`. */
export const writeConditions = z.object({
  'If-Match': z
    .string()
    .regex(/^"[1-9]\d{0,14}"$/)
    .optional()
    .openapi({
      description: 'The version the item must have, in quotation marks, as its ETag has it.',
      example: '"7"',
    }),
  'If-None-Match': z
    .enum(['*'])
    .optional()
    .openapi({ description: 'Only where there is no item. Not together with `If-Match`.' }),
});

export const itemEtag = z.object({
  ETag: z
    .string()
    .regex(/^"\d+"$/)
    .openapi({ description: 'The version of the item, in quotation marks.', example: '"7"' }),
});

/** Whether `If-None-Match` names `etag`. Compares weakly, as RFC 9110 (13.1.2) wants it for this header. */
export function matchesEtag(c: Context<ApiEnv>, etag: string): boolean {
  const given = c.req.header('if-none-match');
  if (given === undefined) return false;
  return given.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}

/** What `If-Match` or `If-None-Match: *` of a write asks for, as the condition of an item. Throws `invalid-request`. */
export function ifVersionOf(c: Context<ApiEnv>): { ifVersion?: number } {
  const match = c.req.header('if-match');
  const noneMatch = c.req.header('if-none-match');
  if (match === undefined && noneMatch === undefined) return {};
  if (match === undefined && noneMatch?.trim() === '*') return { ifVersion: 0 };
  const version = noneMatch === undefined ? /^"(\d{1,15})"$/.exec(match?.trim() ?? '')?.[1] : undefined;
  if (version === undefined || Number(version) === 0) {
    throw new LookalikeError(
      'invalid-request',
      'expected If-Match: "<version>" with one version, or If-None-Match: *',
    );
  }
  return { ifVersion: Number(version) };
}
