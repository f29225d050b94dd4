import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

export interface EventSourceOptions {
  queueUrl: string;
  batchSize: number;
  invoke: (event: SQSEvent) => Promise<SQSBatchResponse | null>;
}

/**
 * What an event source mapping does for a function: takes messages, calls the function with them, deletes those that it does not
 * name as failed. A call that fails leaves all of them to be delivered again.
 */
export class EventSource {
  readonly #client: SQSClient;
  readonly #options: EventSourceOptions;

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#client = new SQSClient({
      endpoint: new URL(options.queueUrl).origin,
      region: 'us-east-1',
      credentials: { accessKeyId: 'loopback', secretAccessKey: 'loopback' },
    });
  }

  /** One batch; how many messages it had. */
  async poll(): Promise<number> {
    const { queueUrl, batchSize, invoke } = this.#options;
    const records: SQSRecord[] = [];
    while (records.length < batchSize) {
      const found = await this.#receive(Math.min(10, batchSize - records.length));
      if (found.length === 0) break;
      records.push(...found);
    }
    if (records.length === 0) return 0;
    const answer = await invoke({ Records: records });
    const failed = new Set(answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { messageId, receiptHandle } of records) {
      if (failed.has(messageId)) continue;
      await this.#client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
    }
    return records.length;
  }

  /** Until the queue has nothing visible. */
  async drain(): Promise<void> {
    while ((await this.poll()) > 0);
  }

  async #receive(most: number): Promise<SQSRecord[]> {
    const { queueUrl } = this.#options;
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: most,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return Messages.map((message) => ({
      messageId: message.MessageId ?? '',
      receiptHandle: message.ReceiptHandle ?? '',
      body: message.Body ?? '',
      attributes: message.Attributes as unknown as SQSRecord['attributes'],
      messageAttributes: {},
      md5OfBody: message.MD5OfBody ?? '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueUrl.slice(queueUrl.lastIndexOf('/') + 1)}`,
      awsRegion: 'us-east-1',
    }));
  }
}
