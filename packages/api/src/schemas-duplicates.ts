import { z } from '@hono/zod-openapi';
import { cursor, itemError, metadata, similarity, version } from './schemas-values.ts';

export const duplicatesBody = z
  .strictObject({
    minSimilarity: similarity
      .optional()
      .openapi({ description: 'Default: the calibrated threshold of the model.' }),
  })
  .openapi('FindDuplicates');

export const duplicateItem = z
  .object({
    id: z.string(),
    kind: z.enum(['exact', 'pixels', 'near']).openapi({
      description:
        'Against the one to keep. exact: same bytes; pixels: same pixels in another file; near: near-duplicate.',
    }),
    similarity: similarity.openapi({ description: 'To the one to keep.' }),
    metadata: metadata.optional(),
  })
  .openapi('DuplicateItem');

export const duplicateGroup = z
  .object({
    keep: z.string().openapi({ description: 'Id of the proposed one to keep; also the first of `items`.' }),
    reason: z.string().openapi({ description: 'Why that one.', example: 'largest: 4000 x 3000' }),
    weakest: similarity.openapi({ description: 'Similarity of the least similar pair of the group.' }),
    items: z.array(duplicateItem),
  })
  .openapi('DuplicateGroup');

export const duplicatesJob = z
  .object({
    job: z.string(),
    status: z.enum(['running', 'done', 'failed']),
    minSimilarity: similarity,
    version: version.optional().openapi({ description: 'The version of the collection that was searched.' }),
    progress: z.object({ done: z.number().int(), total: z.number().int() }),
    error: itemError.optional(),
    groupCount: z.number().int().optional(),
    groups: z.array(duplicateGroup).optional().openapi({ description: 'One page, largest groups first.' }),
    cursor: cursor.optional(),
  })
  .openapi('DuplicatesJob');
