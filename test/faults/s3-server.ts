import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * - `lost`: the request takes effect, and its connection breaks before the answer.
 * - `refused`: 503 before it takes effect. `conflict`: 409, as S3 answers one of two creates at once.
 * - `slow`: the answer takes a while. `truncated`: half of the body comes, then the connection breaks.
 */
export type S3Fault = 'lost' | 'refused' | 'conflict' | 'slow' | 'truncated';

export interface S3Request {
  method: string;
  key: string;
  query: URLSearchParams;
}

export interface S3ServerOptions {
  fault?: (request: S3Request) => S3Fault | undefined;
  /** As some servers do: creates overwrite. */
  ignorePreconditions?: boolean;
}

interface Stored {
  body: Buffer;
  etag: string;
  modified: Date;
}

/** The part of the S3 protocol that the store speaks, in memory, on 127.0.0.1. */
export class S3Server {
  options: S3ServerOptions;
  readonly objects = new Map<string, Stored>();
  /** Requests answered, by method. */
  readonly counts = new Map<string, number>();
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(options: S3ServerOptions = {}) {
    this.options = options;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, , ...parts] = url.pathname.split('/').map(decodeURIComponent);
    const key = parts.join('/');
    const { method = 'GET' } = request;
    const body = await readBody(request);
    this.counts.set(method, (this.counts.get(method) ?? 0) + 1);
    const fault = this.options.fault?.({ method, key, query: url.searchParams });
    if (fault === 'refused') return sendError(response, 503, 'SlowDown');
    if (fault === 'conflict') return sendError(response, 409, 'ConditionalRequestConflict');
    const answer = this.#answer(method, key, url.searchParams, request, body);
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 30));
    if (fault === 'lost') {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-length': answer.body?.length ?? 0, ...answer.headers });
    if (fault === 'truncated' && answer.body !== undefined && answer.body.length > 1) {
      response.write(answer.body.subarray(0, answer.body.length >> 1), () => response.destroy());
      return;
    }
    response.end(method === 'HEAD' ? undefined : answer.body);
  }

  #answer(
    method: string,
    key: string,
    query: URLSearchParams,
    request: IncomingMessage,
    body: Buffer,
  ): Answer {
    const uploadId = query.get('uploadId');
    if (method === 'GET' && key === '' && query.get('list-type') === '2') return this.#list(query);
    if (method === 'POST' && query.has('delete')) return this.#deleteMany(body);
    if (method === 'POST' && query.has('uploads')) {
      const id = randomUUID();
      this.#uploads.set(id, new Map());
      return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (uploadId !== null) return this.#multipart(method, key, uploadId, query, request, body);
    switch (method) {
      case 'PUT':
        return this.#put(key, request, body);
      case 'GET':
      case 'HEAD':
        return this.#get(key, request);
      case 'DELETE':
        this.objects.delete(key);
        return { status: 204 };
      default:
        return errorAnswer(405, 'MethodNotAllowed');
    }
  }

  #put(key: string, request: IncomingMessage, body: Buffer): Answer {
    if (
      request.headers['if-none-match'] === '*' &&
      this.objects.has(key) &&
      !this.options.ignorePreconditions
    )
      return errorAnswer(412, 'PreconditionFailed');
    const md5 = request.headers['content-md5'];
    if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
      return errorAnswer(400, 'BadDigest');
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    this.objects.set(key, { body, etag, modified: new Date() });
    return { status: 200, headers: { etag } };
  }

  #get(key: string, request: IncomingMessage): Answer {
    const found = this.objects.get(key);
    if (found === undefined) return errorAnswer(404, 'NoSuchKey');
    const headers = { etag: found.etag, 'last-modified': found.modified.toUTCString() };
    if (request.headers['if-none-match'] === found.etag) return { status: 304, headers };
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) return { status: 200, headers, body: found.body };
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), found.body.length - 1)];
    if (start >= found.body.length) return errorAnswer(416, 'InvalidRange');
    return {
      status: 206,
      headers: { ...headers, 'content-range': `bytes ${start}-${end}/${found.body.length}` },
      body: found.body.subarray(start, end + 1),
    };
  }

  #list(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const limit = Number(query.get('max-keys') ?? 1000);
    const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && (after === '' || order(key, after) > 0))
      .sort(order);
    const page = keys.slice(0, Math.min(1000, limit));
    const contents = page.map((key) => {
      const { body, etag, modified } = this.objects.get(key) as Stored;
      return `<Contents><Key>${escapeXml(key)}</Key><Size>${body.length}</Size><ETag>${escapeXml(etag)}</ETag><LastModified>${modified.toISOString()}</LastModified></Contents>`;
    });
    const truncated = keys.length > page.length;
    const next = truncated
      ? `<NextContinuationToken>${escapeXml(page.at(-1) ?? '')}</NextContinuationToken>`
      : '';
    return xml(
      `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  }

  #deleteMany(body: Buffer): Answer {
    for (const [, key] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g))
      this.objects.delete(unescapeXml(key ?? ''));
    return xml('<DeleteResult></DeleteResult>');
  }

  #multipart(
    method: string,
    key: string,
    id: string,
    query: URLSearchParams,
    request: IncomingMessage,
    body: Buffer,
  ): Answer {
    const parts = this.#uploads.get(id);
    if (parts === undefined) return errorAnswer(404, 'NoSuchUpload');
    if (method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      return { status: 200, headers: { etag: `"${createHash('md5').update(body).digest('hex')}"` } };
    }
    if (method === 'DELETE') {
      this.#uploads.delete(id);
      return { status: 204 };
    }
    if (
      request.headers['if-none-match'] === '*' &&
      this.objects.has(key) &&
      !this.options.ignorePreconditions
    )
      return errorAnswer(412, 'PreconditionFailed');
    const whole = Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
    const etag = `"${createHash('md5').update(whole).digest('hex')}-${parts.size}"`;
    this.objects.set(key, { body: whole, etag, modified: new Date() });
    this.#uploads.delete(id);
    return xml(
      `<CompleteMultipartUploadResult><ETag>${escapeXml(etag)}</ETag></CompleteMultipartUploadResult>`,
    );
  }
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer;
}

function xml(text: string): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${text}`),
  };
}

function errorAnswer(status: number, code: string): Answer {
  return { ...xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`), status };
}

function sendError(response: ServerResponse, status: number, code: string): void {
  const { body, headers } = errorAnswer(status, code);
  response.writeHead(status, headers).end(body);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function unescapeXml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) =>
    hex
      ? String.fromCodePoint(Number.parseInt(hex, 16))
      : decimal
        ? String.fromCodePoint(Number(decimal))
        : (named[name] ?? whole),
  );
}
