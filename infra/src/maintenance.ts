import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Construct } from 'constructs';
import { allowCollections } from './api-permissions.ts';
import { NodeFunction } from './node-function.ts';
import type { ServiceContext } from './service-context.ts';
import { INDEX_TIMEOUT } from './storage-stack.ts';

/** Keeps collections fast and small: all of it may run twice, at once, or die midway; the log makes that harmless. */
export class Maintenance {
  /** Turns the tail of a collection's log into segments, and merges segments. */
  readonly index: NodeFunction;
  /** Looks at every collection on a schedule: measures it, and asks for what is due. */
  readonly sweep: NodeFunction;

  constructor(scope: Construct, context: ServiceContext) {
    const { options, storage } = context;
    this.index = new NodeFunction(scope, 'Index', context, {
      description: 'Lookalike: indexes and compacts collections',
      handler: 'app/index-collections.handler',
      memorySize: options.indexMemory,
      timeout: Duration.seconds(INDEX_TIMEOUT),
      temporaryStorage: 4096,
      // The rest is for the segments that merges read and write.
      environment: { LOOKALIKE_DISK_CACHE_MB: '1024' },
    });
    allowCollections(this.index.executionRole, storage.data);
    this.index.addEventSource(
      new SqsEventSource(storage.indexQueue, {
        // Many commits of a collection in one batch are one job.
        batchSize: 500,
        maxBatchingWindow: Duration.seconds(20),
        reportBatchItemFailures: true,
        maxConcurrency: options.indexConcurrency,
      }),
    );

    this.sweep = new NodeFunction(scope, 'Sweep', context, {
      description: 'Lookalike: measures collections, asks for indexing, collects garbage',
      handler: 'app/sweep.handler',
      memorySize: 1769,
      timeout: Duration.minutes(15),
      environment: { LOOKALIKE_INDEX_QUEUE: storage.indexQueue.queueUrl },
    });
    allowCollections(this.sweep.executionRole, storage.data);
    storage.indexQueue.grantSendMessages(this.sweep);
    const onSchedule = (id: string, schedule: Schedule, task: string) =>
      new Rule(scope, id, {
        schedule,
        targets: [
          new LambdaFunction(this.sweep, { event: RuleTargetInput.fromObject({ task }), retryAttempts: 2 }),
        ],
      });
    onSchedule('MeasureRule', Schedule.rate(Duration.minutes(15)), 'measure');
    onSchedule('GarbageRule', Schedule.rate(Duration.days(1)), 'collect-garbage');
  }
}
