import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import {
  DefinitionBody,
  DistributedMap,
  ItemBatcher,
  JsonPath,
  LogLevel,
  OutputType,
  ResultWriterV2,
  S3ObjectsItemReader,
  StateMachine,
  StateMachineType,
  TaskInput,
  Transformation,
  WriterConfig,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { allowCollections, allowKey, allowList, allowObjects } from './api-permissions.ts';
import { createLogGroup, NodeFunction } from './node-function.ts';
import type { ServiceContext } from './service-context.ts';
import { EMBED_TIMEOUT, INGEST_PREFIX, REFUSALS_PREFIX, RUNS_PREFIX } from './storage-stack.ts';

/** Lists the bucket that a run names; CDK's own reader would be allowed to list every bucket of the account. */
class ReaderOf extends S3ObjectsItemReader {
  readonly #buckets: IBucket[];

  constructor(buckets: IBucket[]) {
    super({ bucketNamePath: '$.bucket', prefix: JsonPath.stringAt('$.prefix') });
    this.#buckets = buckets;
  }

  override providePolicyStatements(): PolicyStatement[] {
    const resources = this.#buckets.map(({ bucketArn }) => bucketArn);
    return [new PolicyStatement({ actions: ['s3:ListBucket'], resources })];
  }
}

/** Pictures to rows: those dropped in the bucket, through a queue; those of a whole bucket, through a distributed map. */
export class Ingestion {
  readonly embed: NodeFunction;
  readonly embedObjects: NodeFunction;
  readonly bucketIngest: StateMachine;

  constructor(scope: Construct, context: ServiceContext) {
    const { options, storage } = context;
    const common = { timeout: Duration.seconds(EMBED_TIMEOUT), memorySize: options.embedMemory };
    this.embed = new NodeFunction(scope, 'Embed', context, {
      ...common,
      description: 'Lookalike: pictures dropped in the bucket become rows',
      handler: 'app/embed.handler',
      environment: { LOOKALIKE_DEAD_LETTERS: storage.embedDeadLetters.queueUrl },
    });
    this.#allowPictures(this.embed, context);
    allowObjects(this.embed.executionRole, storage.data, `${REFUSALS_PREFIX}*`, [
      's3:GetObject',
      's3:PutObject',
    ]);
    storage.embedDeadLetters.grantSendMessages(this.embed);
    this.embed.addEventSource(
      new SqsEventSource(storage.embedQueue, {
        batchSize: 20,
        maxBatchingWindow: Duration.seconds(2),
        reportBatchItemFailures: true,
        maxConcurrency: options.embedConcurrency,
      }),
    );

    this.embedObjects = new NodeFunction(scope, 'EmbedObjects', context, {
      ...common,
      description: 'Lookalike: one batch of a whole bucket’s pictures becomes rows',
      handler: 'app/embed-objects.handler',
    });
    this.#allowPictures(this.embedObjects, context);
    const sources = options.sourceBuckets.map((name, index) =>
      Bucket.fromBucketName(scope, `SourceBucket${index}`, name),
    );
    for (const bucket of sources) {
      allowObjects(this.embedObjects.executionRole, bucket, '*', ['s3:GetObject', 's3:GetObjectTagging']);
      allowList(this.embedObjects.executionRole, bucket);
    }
    this.bucketIngest = this.#bucketIngest(scope, context, [storage.pictures, ...sources]);
  }

  #allowPictures(fn: NodeFunction, { storage }: ServiceContext): void {
    allowCollections(fn.executionRole, storage.data);
    allowObjects(fn.executionRole, storage.pictures, `${INGEST_PREFIX}*`, [
      's3:GetObject',
      's3:GetObjectTagging',
    ]);
    allowList(fn.executionRole, storage.pictures);
  }

  /** Started with `{bucket, prefix, collection}`. */
  #bucketIngest(scope: Construct, context: ServiceContext, sources: IBucket[]): StateMachine {
    const { options, storage } = context;
    const map = new DistributedMap(scope, 'EveryPicture', {
      mapExecutionType: StateMachineType.STANDARD,
      comment: 'Lists the prefix and hands it out in batches',
      maxConcurrency: options.embedConcurrency,
      itemReader: new ReaderOf(sources),
      itemBatcher: new ItemBatcher({
        maxItemsPerBatch: 50,
        batchInput: {
          bucket: JsonPath.stringAt('$.bucket'),
          prefix: JsonPath.stringAt('$.prefix'),
          collection: JsonPath.stringAt('$.collection'),
        },
      }),
      // A picture that cannot be read is in the batch's result; a batch fails only when AWS or the code does.
      toleratedFailurePercentage: 5,
      resultWriterV2: new ResultWriterV2({
        bucket: storage.data,
        prefix: RUNS_PREFIX,
        writerConfig: new WriterConfig({
          transformation: Transformation.COMPACT,
          outputType: OutputType.JSONL,
        }),
      }),
    });
    const batch = new LambdaInvoke(scope, 'OneBatch', {
      lambdaFunction: this.embedObjects,
      payload: TaskInput.fromJsonPathAt('$'),
      payloadResponseOnly: true,
    });
    // Writing again what was written is no harm: a row is named by its picture.
    batch.addRetry({
      maxAttempts: 4,
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxDelay: Duration.minutes(2),
    });
    map.itemProcessor(batch);
    const logs = createLogGroup(scope, 'BucketIngestLogs', options.logRetentionDays);
    const machine = new StateMachine(scope, 'BucketIngest', {
      comment: 'Every picture under a prefix of a bucket into a collection',
      definitionBody: DefinitionBody.fromChainable(map),
      tracingEnabled: true,
      logs: { destination: logs, level: LogLevel.ALL },
    });
    if (storage.data.encryptionKey !== undefined) allowKey(machine, storage.data.encryptionKey);
    Validations.of(machine).acknowledge(
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'Delivery of logs and traces knows no resources: AWS documents "*" for these actions.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::…:*]',
        reason: 'Versions of one function, and runs of this one state machine.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::…/*]',
        reason: 'Results of runs, in the bucket of collections, are named at run time.',
      },
    );
    return machine;
  }
}
