import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { SQSBatchResponse } from 'aws-lambda';
import { S3Server, SECRET_KEY } from '../../s3-server/s3-server.ts';
import { EventSource } from './event-source.ts';
import { LambdaFunction } from './lambda-function.ts';
import { type SecretsServer, startSecretsServer } from './secrets-server.ts';
import { SqsServer } from './sqs-server.ts';
import type { World } from './state-machine.ts';

export const ADMIN_KEY = 'loopback-admin-key-of-at-least-32-characters';

/** Where the functions' modules lie: the sources, or a bundle. */
export interface Code {
  moduleOf: (name: string) => string;
  node?: string[];
}

const sources: Code = {
  moduleOf: (name) => join(import.meta.dirname, '../../../functions/src', `${name}.ts`),
};

/** A deployment on loopback: buckets, queues, keys, and functions in processes of their own. */
export class Cloud {
  readonly s3: S3Server;
  readonly sqs: SqsServer;
  readonly s3Client: S3Client;
  readonly #secrets: SecretsServer;
  readonly #folder: string;
  readonly #functions: LambdaFunction[] = [];
  readonly #code: Code;
  readonly embedQueue: string;
  readonly indexQueue: string;

  private constructor(s3: S3Server, sqs: SqsServer, secrets: SecretsServer, folder: string, code: Code) {
    this.s3 = s3;
    this.sqs = sqs;
    this.#secrets = secrets;
    this.#folder = folder;
    this.#code = code;
    sqs.createQueue('embed-dead');
    sqs.createQueue('index-dead');
    this.embedQueue = sqs.createQueue('embed', {
      visibility: 120_000,
      deadLetters: { queue: 'embed-dead', maxReceiveCount: 5 },
    });
    this.indexQueue = sqs.createQueue('index', {
      visibility: 1000,
      deadLetters: { queue: 'index-dead', maxReceiveCount: 5 },
    });
    this.s3Client = new S3Client({
      endpoint: s3.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'loopback', secretAccessKey: SECRET_KEY },
    });
  }

  static async start(code: Code = sources): Promise<Cloud> {
    const [s3, sqs, secrets, folder] = await Promise.all([
      S3Server.start(['data', 'pictures']),
      SqsServer.start(),
      startSecretsServer(JSON.stringify({ adminKey: ADMIN_KEY, keys: [] })),
      mkdtemp(join(tmpdir(), 'lookalike-cloud-')),
    ]);
    return new Cloud(s3, sqs, secrets, folder, code);
  }

  async stop(): Promise<void> {
    for (const one of this.#functions) one.kill();
    this.s3Client.destroy();
    await Promise.all([this.s3.close(), this.sqs.close(), this.#secrets.close()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  get env(): Record<string, string> {
    return {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'loopback',
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_ENDPOINT_URL_S3: this.s3.url,
      AWS_ENDPOINT_URL_SQS: this.sqs.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: this.#secrets.url,
      TMPDIR: this.#folder,
      LOOKALIKE_STORE: 's3://data',
      LOOKALIKE_UPLOADS: 's3://pictures/uploads/',
      LOOKALIKE_DEAD_LETTERS: `${this.sqs.url}/000000000000/embed-dead`,
      LOOKALIKE_INDEX_QUEUE: this.indexQueue,
      LOOKALIKE_AUTH: 'keys',
      LOOKALIKE_KEYS_SECRET: 'keys',
      POWERTOOLS_SERVICE_NAME: 'lookalike',
      POWERTOOLS_METRICS_NAMESPACE: 'Lookalike',
    };
  }

  /** Buckets and functions as a state machine reaches them; every function is `embed-objects`. */
  get world(): World {
    const bucketOf = (name: string) => {
      const bucket = this.s3.buckets.get(name);
      if (bucket === undefined) throw new Error(`NoSuchBucket: ${name}`);
      return bucket;
    };
    return {
      list: (bucket, prefix) => [...bucketOf(bucket).keys()].filter((key) => key.startsWith(prefix)).sort(),
      read: (bucket, key) => {
        const found = bucketOf(bucket).get(key);
        if (found === undefined) throw new Error(`NoSuchKey: ${key}`);
        return found.body;
      },
      write: (bucket, key, body) => this.s3.write(bucket, key, Buffer.from(body)),
      invoke: (() => {
        let embedObjects: LambdaFunction | undefined;
        return (_arn: string, input: unknown) => {
          embedObjects ??= this.function('embed-objects');
          return embedObjects.invoke(input);
        };
      })(),
    };
  }

  moduleOf(name: string): string {
    return this.#code.moduleOf(name);
  }

  /** A new environment of the function. */
  function(name: string, handler = 'handler', { moduleOf, node }: Code = this.#code): LambdaFunction {
    const made = new LambdaFunction({
      module: moduleOf(name),
      handler,
      env: this.env,
      ...(node === undefined ? {} : { node }),
    });
    this.#functions.push(made);
    return made;
  }

  eventSource(queueUrl: string, batchSize: number, to: LambdaFunction): EventSource {
    return new EventSource({ queueUrl, batchSize, invoke: (event) => to.invoke<SQSBatchResponse>(event) });
  }

  /** Uploads a picture, and S3 tells the queue. */
  async drop(key: string, body: Uint8Array, metadata: Record<string, string> = {}): Promise<void> {
    await this.s3Client.send(
      new PutObjectCommand({ Bucket: 'pictures', Key: key, Body: body, Metadata: metadata }),
    );
    this.notify(key, 'ObjectCreated:Put');
  }

  remove(key: string): void {
    this.s3.buckets.get('pictures')?.delete(key);
    this.notify(key, 'ObjectRemoved:DeleteMarkerCreated');
  }

  /** As S3 words it, with the key form-encoded. */
  notify(key: string, eventName: string): void {
    const stored = this.s3.buckets.get('pictures')?.get(key);
    const record = {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: new Date().toISOString(),
      eventName,
      userIdentity: { principalId: 'AWS:EXAMPLE' },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: { 'x-amz-request-id': 'EXAMPLE', 'x-amz-id-2': 'EXAMPLE' },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'ingest',
        bucket: { name: 'pictures', ownerIdentity: { principalId: 'EXAMPLE' }, arn: 'arn:aws:s3:::pictures' },
        object: {
          key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
          size: stored?.body.length ?? 0,
          eTag: stored?.etag,
          versionId: stored?.versionId,
          sequencer: '0055AED6DCD90281E5',
        },
      },
    };
    this.sqs.send('embed', JSON.stringify({ Records: [record] }));
  }

  /** The rule of EventBridge that tells of commits: one message a commit so far. */
  tellOfCommits(collection: string): void {
    for (const key of this.s3.buckets.get('data')?.keys() ?? []) {
      if (key.startsWith(`collections/${collection}/log/`)) this.sqs.send('index', JSON.stringify({ key }));
    }
  }
}
