import { z } from '@hono/zod-openapi';
import { filterSchema } from './schemas-filter.ts';
import { uploadUrl } from './schemas-uploads.ts';
import {
  base64Image,
  cursor,
  exactlyOneOf,
  include,
  itemError,
  itemId,
  picture,
  similarity,
  storedMetadata,
  vector,
  version,
} from './schemas-values.ts';

const topK = z.number().int().min(1).max(10_000).openapi({
  description: 'Default 10; without it but with `minSimilarity`, all items that near, paged by `cursor`.',
});

/** What a query may say beside what it asks for. */
export const querySettings = {
  topK: topK.optional(),
  minSimilarity: similarity.optional(),
  filter: filterSchema.optional(),
  include: include.optional(),
  consistency: z
    .enum(['strong', 'eventual'])
    .optional()
    .openapi({ description: 'Default `strong`: sees every write acknowledged before the query.' }),
  minVersion: version.optional().openapi({ description: 'Read at least this version.' }),
  exact: z.boolean().optional().openapi({ description: 'The true answer, by scanning.' }),
  ef: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .openapi({ description: 'Candidates of the graph search.' }),
  cursor: cursor.optional(),
  explain: z.boolean().optional().openapi({ description: 'Answer with a receipt.' }),
};

const question = exactlyOneOf('vector', 'image', 'url', 'id');

/** One query; what it asks for is exactly one of `vector`, `image`, `url` and `id`. */
export const singleQuery = z
  .strictObject({
    vector: vector.optional(),
    image: base64Image.optional(),
    url: uploadUrl.optional(),
    id: itemId.optional().openapi({ description: 'Neighbours of this item, without itself.' }),
    ...querySettings,
  })
  .refine(question.holds, { message: 'a query has exactly one of vector, image, url and id' })
  .openapi('Query', question.document);

export const queryBatch = z
  .strictObject({ queries: z.array(singleQuery).min(1).max(100) })
  .openapi('QueryBatch');

export const match = z
  .object({
    id: z.string(),
    distance: z.number().openapi({ description: 'In the unit of the collection’s metric.' }),
    similarity,
    metadata: storedMetadata.optional(),
    vector: vector.optional(),
  })
  .openapi('Match');

export const queryReceipt = z
  .object({
    version,
    exact: z.boolean().openapi({ description: 'Whether the answer is proven to be the true one.' }),
    warm: z.boolean(),
    segments: z.array(
      z.object({ id: z.string(), rows: z.number().int(), way: z.enum(['graph', 'flat', 'exact']) }),
    ),
    rowsScanned: z.number().int(),
    tailRows: z.number().int(),
    store: z.object({ requests: z.number().int(), bytes: z.number().int() }),
    milliseconds: z.record(z.string(), z.number()),
  })
  .openapi('QueryReceipt');

export const queryAnswer = z
  .object({
    matches: z.array(match).openapi({ description: 'Nearest first; ties by id.' }),
    version,
    cursor: cursor.optional().openapi({ description: 'Of a range search that has more.' }),
    picture: picture.optional(),
    receipt: queryReceipt.optional(),
  })
  .openapi('QueryAnswer');

export const queryBatchAnswer = z
  .object({
    results: z
      .array(z.union([queryAnswer, z.object({ error: itemError })]))
      .openapi({ description: 'One a query, in the order given.' }),
  })
  .openapi('QueryBatchAnswer');

const sideContent = exactlyOneOf('vector', 'image');

const side = z
  .strictObject({ vector: vector.optional(), image: base64Image.optional() })
  .refine(sideContent.holds, { message: 'a side has either a vector or an image' })
  .openapi(sideContent.document);

export const compareBody = z
  .strictObject({
    a: side,
    b: side,
    model: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .openapi({ description: 'Default: the server’s default model.' }),
    threshold: similarity
      .optional()
      .openapi({ description: 'Default: the calibrated threshold of the model.' }),
  })
  .openapi('Compare');

export const compareAnswer = z
  .object({
    euclidean: z.number(),
    cosine: z.number().openapi({ description: 'Cosine distance, 1 - cos, in [0, 2].' }),
    absolute: z.number().openapi({ description: 'Sum of absolute differences.' }),
    similarity: similarity.openapi({ description: 'In the metric of the model.' }),
    same: z.boolean(),
    by: z
      .enum(['bytes', 'pixels', 'embedding', 'perceptual-hash', 'low-information', 'frames', 'page'])
      .openapi({
        description:
          'What decided. embedding: whether `similarity` reaches `threshold`; bytes, pixels: they are equal; perceptual-hash: the hashes ' +
          'agree, and so they are the same; low-information: one is blank, frames: both are animations, or files of several pages, that begin alike ' +
          'and go on differently, page: both are pages whose hashes disagree, and so they are not.',
      }),
    threshold: similarity,
    falsePositiveRate: z.number().optional().openapi({
      description: 'Of unrelated pairs at this threshold, as calibrated; missing for one not calibrated.',
    }),
    falseRejectRate: z.number().optional().openapi({
      description: 'Of pairs that belong together, as calibrated: the share that stays below this threshold.',
    }),
    model: z.string(),
    pictures: z.object({ a: picture.optional(), b: picture.optional() }).optional(),
    unreadPixels: z
      .object({ a: itemError.optional(), b: itemError.optional() })
      .optional()
      .openapi({
        description:
          'Why the pixels of a picture could not be compared, where that might have decided: it was encoded, but at full size it is too large ' +
          'or turns out damaged. The verdict goes without them.',
      }),
  })
  .openapi('CompareAnswer');
