import { z } from '@hono/zod-openapi';
import { filterSchema } from './schemas-filter.ts';
import { cursor, itemError, itemId, similarity, storedMetadata, version } from './schemas-values.ts';

export const duplicatesBody = z
  .strictObject({
    minSimilarity: z.number().gt(0).max(1).optional().openapi({
      description:
        'Default: the calibrated threshold of the model; needed where the collection is bound to none.',
    }),
    maxFalsePositiveRate: z.number().gt(0).max(1).optional().openapi({
      description:
        'Instead of `minSimilarity`: the lowest calibrated threshold that pairs unrelated pictures no more often.',
    }),
    perceptualHash: z
      .boolean()
      .optional()
      .openapi({
        description:
          'Pictures whose perceptual hashes differ in at most 63 of 256 bits are near-duplicates as well, whatever their ' +
          'similarity, and two pages (text, receipts, drawings) only those within 31 bits. Default: true, or false where ' +
          '`minSimilarity` is given.',
      }),
    filter: filterSchema.optional(),
  })
  .refine((body) => body.minSimilarity === undefined || body.maxFalsePositiveRate === undefined, {
    message: 'give either minSimilarity or maxFalsePositiveRate',
  })
  .openapi('FindDuplicates', { not: { required: ['minSimilarity', 'maxFalsePositiveRate'] } });

export const verdictBody = z
  .strictObject({
    pairs: z
      .array(z.tuple([itemId, itemId]))
      .min(1)
      .max(1000),
    different: z.boolean().optional().openapi({ description: 'Default true; false takes the verdict back.' }),
  })
  .openapi('Verdict');

export const verdictAnswer = z
  .object({ pairs: z.number().int().openapi({ description: 'Pairs that the verdict now holds for.' }) })
  .openapi('VerdictAnswer');

export const duplicateItem = z
  .object({
    id: z.string(),
    kind: z.enum(['exact', 'pixels', 'near']).openapi({
      description:
        'Against the one to keep. exact: same bytes; pixels: same pixels in another file; near: near-duplicate.',
    }),
    similarity: similarity.openapi({ description: 'To the one to keep.' }),
    by: z.literal('perceptual-hash').optional().openapi({
      description: 'Of a near one that its perceptual hash found: the similarity is below the threshold.',
    }),
    lowInformation: z.literal(true).optional().openapi({
      description: 'Blank or nearly so: it matches the same bytes and pixels only.',
    }),
    metadata: storedMetadata
      .optional()
      .openapi({ description: 'With `include=metadata`, as it is now; missing where the item is gone.' }),
  })
  .openapi('DuplicateItem');

export const duplicateGroup = z
  .object({
    keep: z.string().openapi({ description: 'Id of the proposed one to keep; also the first of `items`.' }),
    reason: z.string().openapi({ description: 'Why that one.', example: 'highest resolution' }),
    weakest: similarity.openapi({ description: 'Similarity of the least similar pair of the group.' }),
    weakestPair: z.tuple([z.string(), z.string()]).openapi({ description: 'Ids of that pair.' }),
    items: z.array(duplicateItem),
  })
  .openapi('DuplicateGroup');

export const duplicatesJob = z
  .object({
    job: z.string(),
    status: z.enum(['running', 'done', 'failed']),
    minSimilarity: similarity,
    version: version.optional().openapi({
      description:
        'Of the collection: every item of the groups was there at it as it was compared, and still when the search ended. What was written meanwhile may be missing.',
    }),
    known: z.number().int().optional().openapi({
      description: 'Items that an earlier search had compared with each other: only others were compared.',
    }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    error: itemError.optional(),
    groupCount: z.number().int().optional(),
    complete: z
      .boolean()
      .optional()
      .openapi({ description: 'Every pair was looked at, so that none is missing.' }),
    pairRecall: z.number().optional().openapi({
      description: 'Share of the true pairs that were found: 1 where complete, else measured on a sample.',
    }),
    groups: z
      .array(duplicateGroup)
      .optional()
      .openapi({ description: 'One page, by the id of the one to keep.' }),
    cursor: cursor.optional(),
  })
  .openapi('DuplicatesJob');
