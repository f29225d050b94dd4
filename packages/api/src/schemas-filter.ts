import { z } from '@hono/zod-openapi';
import type { Filter } from '@lookalike/index';

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const bound = z.union([z.number(), z.string()]);
const field = z
  .string()
  .min(1)
  .max(1024)
  .openapi({ description: 'Path of a metadata field, `.`-separated for nested ones.', example: 'album' });

/** Nesting and size are bounded before this schema runs: see `assertFilter`. */
export const filterSchema: z.ZodType<Filter, Filter> = z
  .lazy(() =>
    z.union([
      z.strictObject({ field, equals: scalar }),
      z.strictObject({ field, in: z.array(scalar).max(10_000) }),
      z.strictObject({ field, exists: z.boolean() }),
      z
        .strictObject({
          field,
          gt: bound.optional(),
          gte: bound.optional(),
          lt: bound.optional(),
          lte: bound.optional(),
        })
        .refine((range) => Object.values(range).filter((value) => value !== undefined).length > 1, {
          message: 'a condition needs one of equals, in, exists, gt, gte, lt and lte',
        }),
      z.strictObject({ and: z.array(filterSchema).max(1000) }),
      z.strictObject({ or: z.array(filterSchema).max(1000) }),
      z.strictObject({ not: filterSchema }),
    ]),
  )
  .openapi('Filter', {
    description:
      'A condition on metadata. A missing field satisfies nothing but `exists: false` and `not`. ' +
      'Values compare with their own type only. A list satisfies a condition where one of its elements does.',
    example: { field: 'album', equals: 'holiday' },
  }) as z.ZodType<Filter, Filter>;
