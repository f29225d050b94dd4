import { z } from '@hono/zod-openapi';
import { collectionName, cursor, version } from './schemas-values.ts';

export const metric = z.enum(['cosine', 'l2', 'l1']).openapi('Metric', {
  description:
    'cosine: 1 - cos, in [0, 2]. l2: Euclidean distance. l1: sum of absolute differences. ' +
    'Similarity is max(0, cos) under cosine, 1 / (1 + distance) under the others.',
});

const hnsw = z.strictObject({
  m: z.number().int().min(2).max(128).openapi({ description: 'Links a node and layer.' }),
  efConstruction: z
    .number()
    .int()
    .min(8)
    .max(4096)
    .openapi({ description: 'Candidates kept while building.' }),
});

export const createCollectionBody = z
  .strictObject({
    model: z.string().min(1).max(128).optional().openapi({
      description:
        'Bind the collection to this encoder, so that it takes pictures. Default: the server’s default model.',
    }),
    dimension: z
      .number()
      .int()
      .min(1)
      .max(4096)
      .optional()
      .openapi({ description: 'For vectors of your own.' }),
    metric: metric.optional().openapi({ description: 'With `dimension`; default `cosine`.' }),
    hnsw: hnsw.partial().optional(),
  })
  .refine((body) => body.model === undefined || (body.dimension === undefined && body.metric === undefined), {
    message: 'model decides dimension and metric: give either model, or dimension and metric',
  })
  .refine((body) => body.metric === undefined || body.dimension !== undefined, {
    message: 'metric goes with dimension',
  })
  .openapi('CreateCollection', {
    not: { anyOf: [{ required: ['model', 'dimension'] }, { required: ['model', 'metric'] }] },
    anyOf: [{ required: ['dimension'] }, { not: { required: ['metric'] } }],
  });

export const collection = z
  .object({
    name: collectionName,
    dimension: z.number().int(),
    metric,
    encoder: z
      .object({
        name: z.string(),
        hash: z.string().openapi({ description: 'Equal hashes: comparable embeddings.' }),
      })
      .optional()
      .openapi({ description: 'The encoder it is bound to; missing where it takes vectors only.' }),
    hnsw: z.object({ m: z.number().int(), efConstruction: z.number().int() }),
  })
  .openapi('Collection');

export const collectionList = z
  .object({
    collections: z.array(collection),
    damaged: z
      .array(z.object({ name: collectionName, code: z.string(), detail: z.string() }))
      .optional()
      .openapi({
        description:
          'Collections of which what they are cannot be read from the store, and the problem that each answers with.',
      }),
    cursor: cursor.optional(),
  })
  .openapi('CollectionList');

export const collectionStats = z
  .object({
    version,
    items: z.number().int().openapi({ description: 'Live items.' }),
    segments: z.number().int(),
    tailRows: z.number().int().openapi({ description: 'Rows not yet in a segment, searched exactly.' }),
    tailCommits: z
      .number()
      .int()
      .openapi({ description: 'Commits not yet in a segment; deletes alone are some, too.' }),
    deletedRows: z.number().int().openapi({ description: 'Rows stored but deleted or replaced.' }),
    bytes: z.object({ rows: z.number(), codes: z.number(), graphs: z.number(), log: z.number() }),
  })
  .openapi('CollectionStats');

export const recallBody = z
  .strictObject({
    sample: z.number().int().min(1).max(10_000).optional().openapi({ description: 'Queries; default 100.' }),
    k: z.number().int().min(1).max(1000).optional().openapi({ description: 'Default 10.' }),
    ef: z.number().int().min(1).max(10_000).optional(),
    seed: z.number().int().min(0).max(0xffffffff).optional(),
  })
  .openapi('RecallRequest');

export const recallReport = z
  .object({
    sample: z.number().int(),
    k: z.number().int(),
    recall: z.number().openapi({ description: 'Mean of |approximate ∩ exact| / k over the sample.' }),
    ef: z.number().int(),
    milliseconds: z.object({ approximate: z.number(), exact: z.number() }),
  })
  .openapi('RecallReport');
