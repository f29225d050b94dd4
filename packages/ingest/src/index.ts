export { ingestObjectBatch, type ObjectBatch, type ObjectBatchReport } from './object-batch.ts';
export type { ObjectVersion, PictureSource, SourcePicture } from './picture-source.ts';
export {
  type BatchReport,
  type DeadLetter,
  ingestQueueBatch,
  type QueueBatchOptions,
  type QueueMessage,
} from './queue-batch.ts';
export { type IngestServices, type Outcome, reconcilePictures } from './reconcile.ts';
export { type S3PictureSourceOptions, s3PictureSource } from './s3-picture-source.ts';
export { type S3UploadsOptions, s3Uploads } from './s3-uploads.ts';
