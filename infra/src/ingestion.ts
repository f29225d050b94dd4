import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import {
  Choice,
  Condition,
  DefinitionBody,
  DistributedMap,
  type IItemReader,
  ItemBatcher,
  JsonPath,
  LogLevel,
  OutputType,
  ResultWriterV2,
  S3ManifestItemReader,
  S3ObjectsItemReader,
  StateMachine,
  StateMachineType,
  Transformation,
  WriterConfig,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { allowCollections, allowKey, allowList, allowObjects } from './api-permissions.ts';
import { createLogGroup } from './log-group.ts';
import { NodeFunction } from './node-function.ts';
import type { ServiceContext } from './service-context.ts';
import {
  EMBED_TIMEOUT,
  INGEST_PREFIX,
  INVENTORY_PREFIX,
  REFUSALS_PREFIX,
  RUNS_PREFIX,
} from './storage-stack.ts';

/** Lists the bucket that a run names; CDK's own reader would be allowed to list every bucket of the account. */
class ReaderOf extends S3ObjectsItemReader {
  readonly #buckets: IBucket[];

  constructor(buckets: IBucket[]) {
    super({ bucketNamePath: JsonPath.stringAt('$.bucket'), prefix: JsonPath.stringAt('$.prefix') });
    this.#buckets = buckets;
  }

  override providePolicyStatements(): PolicyStatement[] {
    const resources = this.#buckets.map(({ bucketArn }) => bucketArn);
    return [new PolicyStatement({ actions: ['s3:ListBucket'], resources })];
  }
}

/** Reads the manifest of an S3 Inventory that a run names, and the lists it names. */
class InventoryOf extends S3ManifestItemReader {
  readonly #places: string[];

  constructor(places: string[]) {
    super({
      bucketNamePath: JsonPath.stringAt('$.inventory.bucket'),
      key: JsonPath.stringAt('$.inventory.key'),
    });
    this.#places = places;
  }

  override providePolicyStatements(): PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['s3:GetObject', 's3:GetObjectVersion'], resources: this.#places }),
    ];
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

  /** Started with `{bucket, prefix, collection}`, and `inventory: {bucket, key}` of a manifest where keys are not to be listed. */
  #bucketIngest(scope: Construct, context: ServiceContext, sources: IBucket[]): StateMachine {
    const { options, storage } = context;
    const lists = [storage.accessLogs.arnForObjects(`${INVENTORY_PREFIX}*`)].concat(
      sources.slice(1).map((bucket) => bucket.arnForObjects('*')),
    );
    const byInventory = this.#everyPicture(scope, context, 'Inventory', new InventoryOf(lists));
    const byPrefix = this.#everyPicture(scope, context, 'Prefix', new ReaderOf(sources));
    const start = new Choice(scope, 'WhereFrom')
      .when(Condition.isPresent('$.inventory'), byInventory)
      .otherwise(byPrefix);
    const logs = createLogGroup(scope, 'BucketIngestLogs', options.logRetentionDays);
    const machine = new StateMachine(scope, 'BucketIngest', {
      // By which `lookalike ingest --deployment` finds it.
      stateMachineName: `${options.name}-bucket-ingest`,
      comment: 'Every picture under a prefix of a bucket into a collection',
      definitionBody: DefinitionBody.fromChainable(start),
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

  #everyPicture(
    scope: Construct,
    { options, storage }: ServiceContext,
    from: 'Inventory' | 'Prefix',
    itemReader: IItemReader,
  ): DistributedMap {
    const map = new DistributedMap(scope, `EveryPictureOf${from}`, {
      mapExecutionType: StateMachineType.STANDARD,
      comment: 'Hands pictures out in batches',
      maxConcurrency: options.embedConcurrency,
      itemReader,
      itemBatcher: new ItemBatcher({
        maxItemsPerBatch: 50,
        // CDK takes these names as they are: without ".$" the paths would be plain text.
        batchInput: {
          'bucket.$': '$.bucket',
          'prefix.$': '$.prefix',
          'collection.$': '$.collection',
          ...(from === 'Inventory' ? { inventory: true } : {}),
        },
      }),
      // A picture that cannot be read is in the batch's result; a batch fails only when AWS or the code does.
      toleratedFailurePercentage: 5,
      resultWriterV2: new ResultWriterV2({
        bucket: storage.data,
        prefix: RUNS_PREFIX.slice(0, -1),
        writerConfig: new WriterConfig({
          transformation: Transformation.COMPACT,
          outputType: OutputType.JSONL,
        }),
      }),
    });
    const batch = new LambdaInvoke(scope, `OneBatchOf${from}`, {
      lambdaFunction: this.embedObjects,
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
    return map;
  }
}
