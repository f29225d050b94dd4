import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Message {
  id: string;
  body: string;
  attributes: Record<string, { DataType: string; StringValue?: string }>;
  sent: number;
  received: number;
  visibleAt: number;
  receipt?: string;
}

export interface QueueOptions {
  /** Milliseconds. */
  visibility?: number;
  deadLetters?: { queue: string; maxReceiveCount: number };
}

type Input = Record<string, unknown>;

/** The part of Amazon SQS that functions and event source mappings use (AWS JSON 1.0), in memory, on loopback. */
export class SqsServer {
  readonly #queues = new Map<string, { options: QueueOptions; messages: Message[] }>();
  readonly #server: Server;
  url = '';

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
      try {
        const answer = this.#act(action, JSON.parse(Buffer.concat(chunks).toString()) as Input);
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
      } catch (error) {
        const body = { __type: 'com.amazonaws.sqs#InvalidParameterValue', message: String(error) };
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
      }
    });
  }

  static async start(): Promise<SqsServer> {
    const sqs = new SqsServer();
    await new Promise<void>((resolve) => sqs.#server.listen(0, '127.0.0.1', resolve));
    sqs.url = `http://127.0.0.1:${(sqs.#server.address() as AddressInfo).port}`;
    return sqs;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The URL of the queue. */
  createQueue(name: string, options: QueueOptions = {}): string {
    this.#queues.set(name, { options, messages: [] });
    return `${this.url}/000000000000/${name}`;
  }

  /** All that is in a queue, visible or not. */
  messages(
    name: string,
  ): { body: string; attributes: Record<string, string | undefined>; received: number }[] {
    return this.#queue(name).messages.map(({ body, attributes, received }) => ({
      body,
      received,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key, { StringValue }]) => [key, StringValue]),
      ),
    }));
  }

  send(name: string, body: string, attributes: Message['attributes'] = {}): string {
    const id = randomUUID();
    this.#queue(name).messages.push({ id, body, attributes, sent: Date.now(), received: 0, visibleAt: 0 });
    return id;
  }

  #queue(name: string) {
    const queue = this.#queues.get(name.slice(name.lastIndexOf('/') + 1));
    if (queue === undefined) throw new Error(`no queue ${name}`);
    return queue;
  }

  #act(action: string, input: Input): unknown {
    const name = String(input.QueueUrl);
    switch (action) {
      case 'SendMessage':
        return this.#sendOne(name, input);
      case 'SendMessageBatch':
        return {
          Successful: (input.Entries as Input[]).map((entry) => ({
            Id: entry.Id,
            ...this.#sendOne(name, entry),
          })),
          Failed: [],
        };
      case 'ReceiveMessage':
        return { Messages: this.#receive(name, Number(input.MaxNumberOfMessages ?? 1)) };
      case 'DeleteMessage':
        this.#delete(name, String(input.ReceiptHandle));
        return {};
      default:
        throw new Error(`${action} is not one of this server`);
    }
  }

  #sendOne(name: string, { MessageBody, MessageAttributes }: Input) {
    const body = String(MessageBody);
    const MessageId = this.send(name, body, (MessageAttributes ?? {}) as Message['attributes']);
    return { MessageId, MD5OfMessageBody: md5(body) };
  }

  #receive(name: string, most: number): unknown[] {
    const { options, messages } = this.#queue(name);
    const now = Date.now();
    const received: unknown[] = [];
    for (const message of messages.filter(({ visibleAt }) => visibleAt <= now)) {
      if (options.deadLetters !== undefined && message.received >= options.deadLetters.maxReceiveCount) {
        messages.splice(messages.indexOf(message), 1);
        this.send(options.deadLetters.queue, message.body, message.attributes);
        continue;
      }
      if (received.length === most) break;
      message.received++;
      message.visibleAt = now + (options.visibility ?? 30_000);
      message.receipt = randomUUID();
      received.push({
        MessageId: message.id,
        ReceiptHandle: message.receipt,
        Body: message.body,
        MD5OfBody: md5(message.body),
        Attributes: {
          ApproximateReceiveCount: String(message.received),
          ApproximateFirstReceiveTimestamp: String(now),
          SenderId: 'AIDAEXAMPLE',
          SentTimestamp: String(message.sent),
        },
        MessageAttributes: message.attributes,
      });
    }
    return received;
  }

  #delete(name: string, receipt: string): void {
    const { messages } = this.#queue(name);
    const at = messages.findIndex((message) => message.receipt === receipt);
    if (at >= 0) messages.splice(at, 1);
  }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
