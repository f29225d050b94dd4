import type { z } from '@hono/zod-openapi';
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
 * Bounds a filter before the recursive schema and the planner see it. Throws `invalid-filter`.
 * `value` may be anything; what is not shaped like a filter is the schema's to refuse.
 */
export function assertFilterSize(
  value: unknown,
  limits: { filterDepth: number; filterConditions: number },
): void {
  let conditions = 0;
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    conditions++;
    if (next.depth > limits.filterDepth || conditions > limits.filterConditions) {
      throw new LookalikeError(
        'invalid-filter',
        `a filter is at most ${limits.filterDepth} levels deep and has at most ${limits.filterConditions} conditions`,
      );
    }
    const { and, or, not } = next.value as { and?: unknown; or?: unknown; not?: unknown };
    for (const child of [...(Array.isArray(and) ? and : []), ...(Array.isArray(or) ? or : []), not]) {
      pending.push({ value: child, depth: next.depth + 1 });
    }
  }
}
