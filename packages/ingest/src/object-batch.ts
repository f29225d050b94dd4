import { type PicturePlace, pictureKeyOf } from './picture-key.ts';
import type { PictureSource } from './picture-source.ts';
import { type IngestServices, reconcilePictures } from './reconcile.ts';

/** What a Step Functions distributed map hands to one worker. */
export interface ObjectBatch {
  BatchInput: {
    bucket: string;
    prefix: string;
    collection: string;
    /** Items are rows of an S3 Inventory: of the whole bucket, with their keys percent-encoded. */
    inventory?: true;
  };
  Items: readonly { Key: string }[];
}

export interface ObjectBatchReport {
  stored: number;
  replaced: number;
  current: number;
  deleted: number;
  refused: { key: string; code: string; message: string }[];
}

/**
 * Rows of the pictures of one batch. The id of a row is its key behind the prefix; JSON beside pictures counts as their sidecar.
 * Throws where a picture failed that may work on another try: the whole batch is tried again, and what is stored is found current.
 */
export async function ingestObjectBatch(
  { BatchInput, Items }: ObjectBatch,
  services: IngestServices,
  source: PictureSource,
  signal: AbortSignal,
): Promise<ObjectBatchReport> {
  const { prefix, collection, inventory } = BatchInput;
  const listed = Items.map(({ Key }) => (inventory ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key));
  // The sidecar itself is listed too, perhaps in another batch.
  const keys = new Set(
    listed.filter((key) => key.startsWith(prefix) && !key.endsWith('/') && pictureKeyOf(key) === key),
  );
  const places = [...keys].map(
    (key): PicturePlace => ({ collection, key, id: key.slice(prefix.length) || key }),
  );
  const outcomes = await reconcilePictures(services, source, places, signal);
  const report: ObjectBatchReport = { stored: 0, replaced: 0, current: 0, deleted: 0, refused: [] };
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'failed') throw outcome.error;
    if (outcome.status === 'refused')
      report.refused.push({ key: (places[index] as PicturePlace).key, ...outcome.error });
    else report[outcome.status]++;
  }
  return report;
}
