import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { sweepEveryCollection } from '@lookalike/api';
import type { Context } from 'aws-lambda';
import { required } from './environment.ts';
import { everyCollection } from './maintenance.ts';
import { openServices } from './services.ts';
import { logger, MetricUnit, metrics } from './telemetry.ts';
import { traced } from './tracing.ts';

const sqs = new SQSClient({});
const { engine, objects } = await openServices();
const indexQueue = required('LOOKALIKE_INDEX_QUEUE');

/** On a schedule: measures collections and asks for the indexing of tails; or collects garbage. */
export async function handler(
  event: { task: 'measure' | 'collect-garbage' },
  context: Context,
): Promise<void> {
  logger.addContext(context);
  const failures: string[] = [];
  const onFailure = (collection: string, error: unknown) => {
    failures.push(collection);
    logger.error(`${event.task} failed`, { collection, error: error as Error });
  };
  await traced(event.task, {}, () =>
    event.task === 'collect-garbage' ? collectGarbage(onFailure) : measure(onFailure),
  );
  if (failures.length > 0) throw new Error(`${event.task} failed at ${failures.join(', ')}`);
}

async function collectGarbage(onFailure: (collection: string, error: unknown) => void): Promise<void> {
  // Dropped collections are swept too: nobody lists them any more.
  const { deleted, failed } = await engine.sweep();
  for (const { collection, error } of failed) onFailure(collection, error);
  const derived = await sweepEveryCollection(engine, objects, onFailure);
  logger.info('garbage collected', { deleted, derived: derived.deleted });
}

async function measure(onFailure: (collection: string, error: unknown) => void): Promise<void> {
  let longest = 0;
  let items = 0;
  await everyCollection(
    engine,
    async (name, stats) => {
      logger.info('collection', { collection: name, ...stats });
      longest = Math.max(longest, stats.tailRows);
      items += stats.items;
      if (stats.tailCommits === 0) return;
      const body = JSON.stringify({ collection: name });
      await sqs.send(new SendMessageCommand({ QueueUrl: indexQueue, MessageBody: body }));
    },
    onFailure,
  );
  metrics.addMetric('TailRows', MetricUnit.Count, longest);
  metrics.addMetric('Items', MetricUnit.Count, items);
  metrics.publishStoredMetrics();
}
