import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { EventField, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Effect, PolicyStatement, ServicePrincipal, StarPrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type CfnBucket,
  HttpMethods,
  type IBucket,
  InventoryFormat,
  InventoryFrequency,
  InventoryObjectVersion,
  type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { DeploymentOptions } from './options.ts';

/** Where dropped pictures lie in the bucket of pictures: `ingest/<collection>/<id>`. */
export const INGEST_PREFIX = 'ingest/';
/** Where presigned uploads lie, for a day. */
export const UPLOADS_PREFIX = 'uploads/';
/** Where the bucket of collections remembers which pictures were refused (`@lookalike/ingest`), and keeps results of runs. */
export const REFUSALS_PREFIX = 'ingest-refusals/';
export const RUNS_PREFIX = 'ingest-runs/';
/** Where the bucket of access logs keeps inventories of the bucket of pictures. */
export const INVENTORY_PREFIX = 'inventory/';
/** Seconds one batch of pictures may take; the queue hides a batch six times as long, as AWS advises. */
export const EMBED_TIMEOUT = 300;
export const INDEX_TIMEOUT = 900;

export interface StorageStackProps extends StackProps {
  options: DeploymentOptions;
}

/** CDK's own types do not agree with each other under `exactOptionalPropertyTypes`. */
function bucket(scope: Construct, id: string, props: BucketProps): IBucket {
  return new Bucket(scope, id, props) as IBucket;
}

/** All that holds something of the user's: buckets, keys, queued work. Kept when the stack is deleted, unless told otherwise. */
export class StorageStack extends Stack {
  /** Collections: the log and its segments. */
  readonly data: IBucket;
  readonly pictures: IBucket;
  /** Of the other two, and inventories of the pictures. */
  readonly accessLogs: IBucket;
  readonly apiKeys: Secret;
  readonly embedQueue: Queue;
  /** Pictures that cannot be encoded, with the reason as message attributes, and messages that failed five times. */
  readonly embedDeadLetters: Queue;
  readonly indexQueue: Queue;
  readonly indexDeadLetters: Queue;

  constructor(scope: Construct, id: string, { options, ...props }: StorageStackProps) {
    super(scope, id, props);
    const encryptionKey = options.customerKey
      ? new Key(this, 'Key', {
          enableKeyRotation: true,
          description: `Pictures and collections of ${options.name}`,
        })
      : undefined;
    const secured = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      autoDeleteObjects: !options.keepData,
      removalPolicy: options.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    };
    const encrypted =
      encryptionKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true };

    this.accessLogs = bucket(this, 'AccessLogs', {
      ...secured,
      // Access logs cannot be delivered to a bucket under a key of one's own.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [
        { expiration: Duration.days(90), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    Validations.of(this.accessLogs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'This is the bucket of the access logs: logging into itself would never end.',
    });

    // A week to take back a deletion made by mistake; after that a deleted picture is gone for good.
    const recovery: LifecycleRule = {
      noncurrentVersionExpiration: Duration.days(7),
      abortIncompleteMultipartUploadAfter: Duration.days(1),
      expiredObjectDeleteMarker: true,
    };
    this.data = bucket(this, 'Data', {
      ...secured,
      ...encrypted,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'data/',
      lifecycleRules: [
        recovery,
        { prefix: REFUSALS_PREFIX, expiration: Duration.days(90) },
        { prefix: RUNS_PREFIX, expiration: Duration.days(90) },
      ],
    });
    // The log's one rule, held by the store itself: a commit is created once and never overwritten, whoever writes.
    this.data.addToResourcePolicy(
      new PolicyStatement({
        sid: 'CommitsAreCreateOnly',
        effect: Effect.DENY,
        principals: [new StarPrincipal()],
        actions: ['s3:PutObject'],
        resources: [this.data.arnForObjects('collections/*/log/*')],
        conditions: { Null: { 's3:if-none-match': 'true' } },
      }),
    );

    this.pictures = bucket(this, 'Pictures', {
      ...secured,
      ...encrypted,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: 'pictures/',
      ...(options.inventory === 'none'
        ? {}
        : {
            inventories: [
              {
                inventoryId: 'pictures',
                destination: { bucket: this.accessLogs, prefix: INVENTORY_PREFIX.slice(0, -1) },
                // The one format that a distributed map reads.
                format: InventoryFormat.CSV,
                frequency:
                  options.inventory === 'daily' ? InventoryFrequency.DAILY : InventoryFrequency.WEEKLY,
                includeObjectVersions: InventoryObjectVersion.CURRENT,
              },
            ],
          }),
      lifecycleRules: [
        recovery,
        {
          prefix: UPLOADS_PREFIX,
          expiration: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(1),
        },
      ],
      ...(options.corsOrigins.length === 0
        ? {}
        : {
            cors: [
              {
                allowedMethods: [HttpMethods.PUT],
                allowedOrigins: options.corsOrigins,
                allowedHeaders: ['content-type', 'if-none-match', 'x-amz-*'],
                maxAge: 3600,
              },
            ],
          }),
    });

    this.apiKeys = new Secret(this, 'ApiKeys', {
      description: `API keys of ${options.name}: {"adminKey"} and, by choice, {"keys": [{name, hash, scope, collections?}]}`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ keys: [] }),
        generateStringKey: 'adminKey',
        passwordLength: 48,
        excludePunctuation: true,
      },
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
      removalPolicy: secured.removalPolicy,
    });
    Validations.of(this.apiKeys).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Clients hold these keys; rotating them unannounced would cut them off. docs/deploy.md says how to rotate.',
    });

    [this.embedQueue, this.embedDeadLetters] = this.#queue('Embed', Duration.seconds(6 * EMBED_TIMEOUT));
    [this.indexQueue, this.indexDeadLetters] = this.#queue('Index', Duration.seconds(INDEX_TIMEOUT + 60));

    this.#notify();

    const toIndexQueue = new SqsQueue(this.indexQueue, {
      message: RuleTargetInput.fromObject({ key: EventField.fromPath('$.detail.object.key') }),
    });
    new Rule(this, 'CommitRule', {
      description: 'A commit appeared in the log of a collection',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [this.data.bucketName] },
          object: { key: Match.wildcard('collections/*/log/*') },
        },
      },
      targets: [toIndexQueue],
    });

    new CfnOutput(this, 'PicturesBucket', {
      value: this.pictures.bucketName,
      description: 'Drop pictures under ingest/<collection>/',
    });
    new CfnOutput(this, 'DataBucket', { value: this.data.bucketName });
    new CfnOutput(this, 'ApiKeysSecret', { value: this.apiKeys.secretName });
    new CfnOutput(this, 'EmbedDeadLettersUrl', { value: this.embedDeadLetters.queueUrl });
  }

  /**
   * Written as properties of the buckets: CDK's own way is a function that calls S3, with rights to change the notifications of
   * every bucket in the account.
   */
  #notify(): void {
    const filter = { s3Key: { rules: [{ name: 'prefix', value: INGEST_PREFIX }] } };
    const pictures = this.pictures.node.defaultChild as CfnBucket;
    pictures.notificationConfiguration = {
      queueConfigurations: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'].map((event) => ({
        event,
        filter,
        queue: this.embedQueue.queueArn,
      })),
    };
    const data = this.data.node.defaultChild as CfnBucket;
    data.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    // S3 tries the queue when the bucket is made, before it has a name: so the policy names the account, not the bucket.
    const policy = this.embedQueue.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.embedQueue.queueArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    if (policy.policyDependable !== undefined) this.pictures.node.addDependency(policy.policyDependable);
  }

  #queue(name: string, visibilityTimeout: Duration): [queue: Queue, deadLetters: Queue] {
    const secured = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    };
    const deadLetters = new Queue(this, `${name}DeadLetters`, secured);
    const queue = new Queue(this, `${name}Queue`, {
      ...secured,
      visibilityTimeout,
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 5 },
    });
    return [queue, deadLetters];
  }
}
