import { z } from '@hono/zod-openapi';
import { metric } from './schemas-collections.ts';

export const problem = z
  .looseObject({
    type: z.string().openapi({ example: 'urn:lookalike:problem:unknown-collection' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().openapi({ description: 'The last part of `type`.', example: 'unknown-collection' }),
    requestId: z.string(),
  })
  .openapi('Problem', { description: 'RFC 9457. `code` is stable and listed in the documentation.' });

export const health = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    models: z.array(z.string()),
  })
  .openapi('Health');

export const model = z
  .object({
    name: z.string(),
    hash: z.string(),
    description: z.string(),
    purpose: z.enum(['near-duplicates']).optional().openapi({
      description: 'Missing where it tells something else than copies of pictures, such as persons.',
    }),
    dimension: z.number().int(),
    metric,
    thresholds: z.array(
      z.object({
        similarity: z.number(),
        falsePositiveRate: z.number(),
        recall: z.number().optional(),
        calibratedOn: z.string(),
      }),
    ),
    defaultThreshold: z
      .number()
      .openapi({ description: 'At and above this similarity two pictures count as the same.' }),
    referenceThresholds: z
      .array(
        z.object({
          references: z.number().int(),
          margin: z.number(),
          falsePositiveRate: z.number(),
          recall: z.number().optional(),
          calibratedOn: z.string(),
        }),
      )
      .optional()
      .openapi({
        description:
          'For so many or more references of one subject: the least mean similarity to them, less that of them among each other.',
      }),
    input: z.object({ width: z.number().int(), height: z.number().int() }),
    license: z.string(),
  })
  .openapi('Model');

export const modelList = z.object({ default: z.string(), models: z.array(model) }).openapi('ModelList');

export const limits = z
  .object({
    pictureBytes: z.number().int(),
    jsonBytes: z.number().int(),
    ndjsonLineBytes: z.number().int(),
    arrowBatchBytes: z.number().int(),
    itemsPerBatch: z.number().int(),
    queriesPerBatch: z.number().int(),
    idsPerRequest: z.number().int(),
    topK: z.number().int(),
    pageSize: z.number().int(),
    idBytes: z.number().int(),
    metadataBytes: z.number().int(),
    dimension: z.number().int(),
    jsonDepth: z.number().int(),
    filterDepth: z.number().int(),
    filterConditions: z.number().int(),
    concurrentRequests: z.number().int(),
  })
  .openapi('Limits');
