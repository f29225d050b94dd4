import { z } from '@hono/zod-openapi';
import { filterSchema } from './schemas-filter.ts';
import { match } from './schemas-query.ts';
import { uploadUrl } from './schemas-uploads.ts';
import {
  base64Image,
  cursor,
  exactlyOneOf,
  include,
  itemError,
  itemId,
  metadata,
  picture,
  similarity,
  storedMetadata,
  vector,
  version,
} from './schemas-values.ts';

const ifVersion = version.openapi({
  description: 'Write only where the item that is there has this version; 0: only where there is none.',
});

const content = exactlyOneOf('vector', 'image', 'url');
const contentMessage = { message: 'an item has exactly one of vector, image and url' };

export const itemInput = z
  .strictObject({
    id: itemId,
    vector: vector.optional(),
    image: base64Image.optional(),
    url: uploadUrl.optional(),
    metadata: metadata.optional(),
    ifVersion: ifVersion.optional(),
  })
  .refine(content.holds, contentMessage)
  .openapi('ItemInput', content.document);

export const unlessSimilar = similarity.openapi({
  description:
    'Store an item only where nothing else of at least this similarity is there, else answer with the match. What has the id of ' +
    'the item does not count: it would be replaced.',
});

const encoderHash = z.string().max(128).openapi({
  description: 'Hash of the encoder that made the vectors; refused where the collection has another.',
});

export const upsertBody = z
  .strictObject({
    items: z.array(itemInput).min(1).max(10_000),
    unlessSimilar: unlessSimilar.optional(),
    encoder: encoderHash.optional(),
  })
  .openapi('Upsert');

export const upsertResult = z
  .object({
    id: z.string(),
    status: z.enum(['stored', 'similar', 'conflict', 'invalid']).openapi({
      description:
        'stored; similar: `unlessSimilar` found `match`, not stored; conflict: `ifVersion` did not hold, not stored; ' +
        'invalid: see `error`.',
    }),
    picture: picture.optional(),
    match: match.optional(),
    version: version.optional().openapi({ description: 'Of a conflict: the version that is there.' }),
    error: itemError.optional(),
  })
  .openapi('UpsertResult');

export const upsertAnswer = z
  .object({
    version: version.openapi({ description: 'The commit that holds the batch.' }),
    stored: z.number().int(),
    results: z.array(upsertResult).openapi({ description: 'One an item, in the order given.' }),
  })
  .openapi('UpsertAnswer');

export const importAnswer = z
  .object({
    rows: z.number().int().openapi({ description: 'Rows read.' }),
    stored: z.number().int(),
    refused: z.array(upsertResult).openapi({ description: 'The first hundred that were not stored.' }),
  })
  .openapi('ImportAnswer');

export const upsertLine = z
  .object({
    version,
    from: z.number().int().openapi({ description: 'Number of the first item of this commit, from 0.' }),
    count: z.number().int().openapi({ description: 'Items of this commit.' }),
    stored: z.number().int(),
    results: z
      .array(
        upsertResult.extend({
          index: z.number().int().openapi({ description: 'Number of the item, from 0.' }),
        }),
      )
      .openapi({ description: 'The items that were not stored.' }),
  })
  .openapi('UpsertLine', {
    description:
      'One line a commit, as soon as it is durable: everything up to `from + count` is settled. ' +
      'A last line `{"problem": …}` says why a stream ended early.',
  });

export const putItemBody = z
  .strictObject({
    vector: vector.optional(),
    image: base64Image.optional(),
    url: uploadUrl.optional(),
    metadata: metadata.optional(),
  })
  .refine(content.holds, contentMessage)
  .openapi('PutItem', content.document);

export const putItemAnswer = upsertResult
  .pick({ id: true, picture: true, match: true })
  .extend({ status: z.enum(['stored', 'similar']), version })
  .openapi('PutItemAnswer');

const metadataPatch = metadata.openapi({
  description:
    'A JSON Merge Patch (RFC 7396): members replace those of the item, objects are merged, null removes. In a collection with an encoder ' +
    '`picture` is written by the server and stays as it is.',
  example: { album: 'winter', draft: null },
});

export const patchItemBody = z
  .strictObject({ metadata: metadataPatch, ifVersion: ifVersion.optional() })
  .openapi('PatchItem');

export const patchItemsBody = z
  .strictObject({
    items: z
      .array(z.strictObject({ id: itemId, metadata: metadataPatch, ifVersion: ifVersion.optional() }))
      .min(1)
      .max(10_000),
  })
  .openapi('PatchItems');

export const patchResult = z
  .object({
    id: z.string(),
    status: z.enum(['stored', 'missing', 'conflict', 'invalid']),
    metadata: storedMetadata.optional().openapi({ description: 'As it is now, where it was stored.' }),
    version: version.optional().openapi({ description: 'Of a conflict: the version that is there.' }),
    error: itemError.optional(),
  })
  .openapi('PatchResult');

export const patchAnswer = z
  .object({
    version,
    results: z.array(patchResult).openapi({ description: 'One an item, in the order given.' }),
  })
  .openapi('PatchAnswer');

export const item = z
  .object({ id: z.string(), version, metadata: storedMetadata, vector: vector.optional() })
  .openapi('Item', { description: '`metadata.picture` describes an ingested picture.' });

export const itemList = z
  .object({ items: z.array(item), version, cursor: cursor.optional() })
  .openapi('ItemList');

export const getItemsBody = z
  .strictObject({
    ids: z.array(itemId).min(1).max(10_000),
    include: include.optional(),
    minVersion: version.optional(),
  })
  .openapi('GetItems');

export const getItemsAnswer = z
  .object({
    items: z
      .array(z.union([item, z.null()]))
      .openapi({ description: 'In the order asked; null where there is none.' }),
  })
  .openapi('GetItemsAnswer');

const doomed = exactlyOneOf('ids', 'filter');

export const deleteBody = z
  .strictObject({ ids: z.array(itemId).min(1).max(10_000).optional(), filter: filterSchema.optional() })
  .refine(doomed.holds, { message: 'give either ids or filter' })
  .openapi('Delete', doomed.document);

export const deleteAnswer = z
  .object({
    version,
    deleted: z.number().int().openapi({ description: 'Items that were there and are now deleted.' }),
  })
  .openapi('DeleteAnswer');

export const countBody = z.strictObject({ filter: filterSchema.optional() }).openapi('Count');

export const countAnswer = z.object({ count: z.number().int(), version }).openapi('CountAnswer');
