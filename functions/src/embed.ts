import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type DeadLetter, ingestQueueBatch } from '@lookalike/ingest';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { timeLeft } from './deadline.ts';
import { required } from './environment.ts';
import { openServices, pictureBucket } from './services.ts';
import { logger, MetricUnit, metrics } from './telemetry.ts';
import { traced } from './tracing.ts';

const sqs = new SQSClient({});
const services = await openServices();
const deadLetters = required('LOOKALIKE_DEAD_LETTERS');

/** Pictures dropped in the bucket become rows. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  logger.addContext(context);
  const report = await traced('ingest', { messages: event.Records.length }, () =>
    ingestQueueBatch(event.Records, {
      services,
      sourceOf: pictureBucket,
      prefix: 'ingest/',
      sendDeadLetters,
      onFailure: ({ key, error }) => logger.error('will be tried again', { key, error: error as Error }),
      signal: timeLeft(context),
    }),
  );
  logger.info('batch done', { ...report, failed: report.failed.length });
  metrics.addMetric('PicturesStored', MetricUnit.Count, report.stored + report.replaced);
  metrics.addMetric('PicturesRefused', MetricUnit.Count, report.refused);
  metrics.publishStoredMetrics();
  return { batchItemFailures: report.failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

async function sendDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
  for (let from = 0; from < letters.length; from += 10) {
    const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
    const { Failed } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: deadLetters,
        Entries: letters.slice(from, from + 10).map(({ body, code, message }, index) => ({
          Id: String(index),
          MessageBody: body,
          MessageAttributes: { Code: attribute(code), Reason: attribute(message) },
        })),
      }),
    );
    if (Failed !== undefined && Failed.length > 0)
      throw new Error(`SQS took not all dead letters: ${Failed[0]?.Message}`);
  }
}
