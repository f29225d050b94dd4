import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { indexBatch } from './maintenance.ts';
import { openServices } from './services.ts';
import { logger } from './telemetry.ts';
import { traced } from './tracing.ts';

const { engine } = await openServices();

/** Collections with new commits, or named by the sweep, become segments. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  logger.addContext(context);
  const failed = await traced('index', { messages: event.Records.length }, () =>
    indexBatch(engine, event.Records, {
      onFailure: (collection, error) =>
        logger.error('will be tried again', { collection, error: error as Error }),
    }),
  );
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
