import { ingestObjectBatch, type ObjectBatch, type ObjectBatchReport } from '@lookalike/ingest';
import type { Context } from 'aws-lambda';
import { timeLeft } from './deadline.ts';
import { openServices, pictureBucket } from './services.ts';
import { logger } from './telemetry.ts';
import { traced } from './tracing.ts';

const services = await openServices();

/** One batch of a distributed map over a bucket. What it returns is in the results of the run. */
export async function handler(batch: ObjectBatch, context: Context): Promise<ObjectBatchReport> {
  logger.addContext(context);
  const { bucket, collection } = batch.BatchInput;
  const report = await traced('ingest', { collection, objects: batch.Items.length }, () =>
    ingestObjectBatch(batch, services, pictureBucket(bucket), timeLeft(context)),
  );
  logger.info('batch done', { ...report, refused: report.refused.length });
  return report;
}
