import type { z } from '@hono/zod-openapi';
import type * as collections from './schemas-collections.ts';
import type * as duplicates from './schemas-duplicates.ts';
import type * as items from './schemas-items.ts';
import type * as query from './schemas-query.ts';
import type * as service from './schemas-service.ts';
import type * as uploads from './schemas-uploads.ts';
import type * as values from './schemas-values.ts';

/*
 * The types of the HTTP API, for clients: `import type … from '@lookalike/api/schemas'`. Inferred from the zod schemas
 * that validate requests and make the OpenAPI document; nothing of them is imported at run time.
 */

export type { Filter, JsonValue, Metadata } from '@lookalike/index';

export type CreateCollection = z.input<typeof collections.createCollectionBody>;
export type Collection = z.output<typeof collections.collection>;
export type CollectionList = z.output<typeof collections.collectionList>;
export type CollectionStats = z.output<typeof collections.collectionStats>;
export type RecallRequest = z.input<typeof collections.recallBody>;
export type RecallReport = z.output<typeof collections.recallReport>;

export type StoredMetadata = values.StoredMetadata;
export type Picture = z.output<typeof values.picture>;
export type ItemError = z.output<typeof values.itemError>;
export type ItemInput = z.input<typeof items.itemInput>;
export type Upsert = z.input<typeof items.upsertBody>;
export type UpsertResult = z.output<typeof items.upsertResult>;
export type UpsertAnswer = z.output<typeof items.upsertAnswer>;
export type ImportAnswer = z.output<typeof items.importAnswer>;
export type UpsertLine = z.output<typeof items.upsertLine>;
export type PutItem = z.input<typeof items.putItemBody>;
export type PutItemAnswer = z.output<typeof items.putItemAnswer>;
export type PatchItem = z.input<typeof items.patchItemBody>;
export type PatchItems = z.input<typeof items.patchItemsBody>;
export type PatchResult = z.output<typeof items.patchResult>;
export type PatchAnswer = z.output<typeof items.patchAnswer>;
export type Item = z.output<typeof items.item>;
export type ItemList = z.output<typeof items.itemList>;
export type GetItems = z.input<typeof items.getItemsBody>;
export type GetItemsAnswer = z.output<typeof items.getItemsAnswer>;
export type Delete = z.input<typeof items.deleteBody>;
export type DeleteAnswer = z.output<typeof items.deleteAnswer>;
export type CountAnswer = z.output<typeof items.countAnswer>;

export type Query = z.input<typeof query.singleQuery>;
export type QueryBatch = z.input<typeof query.queryBatch>;
export type Match = z.output<typeof query.match>;
export type QueryReceipt = z.output<typeof query.queryReceipt>;
export type QueryAnswer = z.output<typeof query.queryAnswer>;
/** Of each query its answer or its `error`. */
export type QueryBatchAnswer = {
  results: ((QueryAnswer & { error?: undefined }) | { error: ItemError; matches?: undefined })[];
};
export type Compare = z.input<typeof query.compareBody>;
export type CompareAnswer = z.output<typeof query.compareAnswer>;

export type FindDuplicates = z.input<typeof duplicates.duplicatesBody>;
export type Verdict = z.input<typeof duplicates.verdictBody>;
export type VerdictAnswer = z.output<typeof duplicates.verdictAnswer>;
export type DuplicateItem = z.output<typeof duplicates.duplicateItem>;
export type DuplicateGroup = z.output<typeof duplicates.duplicateGroup>;
export type DuplicatesJob = z.output<typeof duplicates.duplicatesJob>;

export type CreateUpload = z.output<typeof uploads.createUploadBody>;
export type Upload = z.output<typeof uploads.upload>;

export type Problem = z.output<typeof service.problem>;
export type Health = z.output<typeof service.health>;
export type Model = z.output<typeof service.model>;
export type ModelList = z.output<typeof service.modelList>;
export type Limits = z.output<typeof service.limits>;
