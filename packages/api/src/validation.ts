import type { z } from '@hono/zod-openapi';
import { parseFilter } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** What a person needs to repair the request: the place and what was expected there, at most three of them. */
function describe(error: z.ZodError): string {
  const texts = error.issues.slice(0, 3).map((issue) => {
    const place = pathOf(issue.path);
    return place === '' ? issue.message : `${place}: ${issue.message}`;
  });
  return texts.join('; ') + (error.issues.length > 3 ? `; and ${error.issues.length - 3} more` : '');
}

/** `value` as `schema` has it, or `LookalikeError(code)` that names what was wrong. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, code = 'invalid-request'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LookalikeError(code, describe(parsed.error), {
    details: {
      issues: parsed.error.issues.slice(0, 20).map(({ path, message }) => ({ path: pathOf(path), message })),
    },
  });
}

/**
 * Checks the filter of a body before the schema does: the reader of filters bounds their size, and names the place that is
 * wrong where a union of shapes could not. Throws `invalid-filter`.
 */
export function assertFilter(body: unknown): void {
  if (typeof body === 'object' && body !== null && 'filter' in body && body.filter !== undefined) {
    parseFilter(body.filter);
  }
}
