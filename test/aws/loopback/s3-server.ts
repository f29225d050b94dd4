import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOfPresigned } from './presigned-request.ts';

interface StoredObject {
  body: Buffer;
  etag: string;
  versionId: string;
  modified: Date;
  metadata: Record<string, string>;
  tags: [string, string][];
}

class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** What callers of the server sign with. */
export const SECRET_KEY = 'loopback';

/**
 * The part of Amazon S3 that Lookalike uses, in memory, on loopback, path-style. It keeps `If-None-Match: *` atomically, lists in
 * byte order with continuation, and honours ranges. Only signatures of presigned requests are checked.
 */
export class S3Server {
  readonly buckets = new Map<string, Map<string, StoredObject>>();
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  readonly #server: Server;
  /** Requests by method and kind, such as `GET object`. */
  readonly requests = new Map<string, number>();
  url = '';
  /** Called after an object was written and before the answer. */
  onPut: (key: string) => void = () => {};

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error) => {
        const [status, code] = error instanceof S3Error ? [error.status, error.code] : [500, 'InternalError'];
        const body = xml(
          'Error',
          `<Code>${code}</Code><Message>${escapeXml(String(error.message))}</Message>`,
        );
        response
          .writeHead(status, { 'content-type': 'application/xml' })
          .end(request.method === 'HEAD' ? '' : body);
      });
    });
  }

  static async start(port = 0): Promise<S3Server> {
    const s3 = new S3Server();
    await new Promise<void>((resolve) => s3.#server.listen(port, '127.0.0.1', resolve));
    s3.url = `http://127.0.0.1:${(s3.#server.address() as AddressInfo).port}`;
    return s3;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As another service of AWS writes it. */
  write(bucket: string, key: string, body: Buffer): void {
    this.buckets.get(bucket)?.set(key, describeObject(body));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://s3');
    const [, name = '', ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    const bucket = this.buckets.get(name);
    const query = url.searchParams;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = decodeBody(request, Buffer.concat(chunks));
    const kind = `${request.method} ${key === '' ? 'bucket' : 'object'}`;
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1);
    if (bucket === undefined) throw new S3Error(404, 'NoSuchBucket');
    const refusal = query.has('X-Amz-Signature') ? refusalOfPresigned(request, SECRET_KEY) : undefined;
    if (refusal !== undefined) throw new S3Error(403, refusal);
    if (key === '') {
      if (request.method === 'POST' && query.has('delete')) return this.#deleteMany(bucket, body, response);
      if (request.method === 'GET') return this.#list(bucket, query, response);
      if (request.method === 'HEAD') return void response.end();
    } else if (query.has('uploads') || query.has('uploadId')) {
      return this.#multipart(request, response, bucket, key, query, body);
    } else if (request.method === 'PUT') {
      return this.#put(request, response, bucket, key, body);
    } else if (request.method === 'GET' || request.method === 'HEAD') {
      return this.#get(request, response, bucket, key, query);
    } else if (request.method === 'DELETE') {
      bucket.delete(key);
      return void response.writeHead(204).end();
    }
    throw new S3Error(501, 'NotImplemented');
  }

  #store(
    request: IncomingMessage,
    bucket: Map<string, StoredObject>,
    key: string,
    body: Buffer,
  ): StoredObject {
    // No await between the look and the write: of racing creates one wins.
    if (request.headers['if-none-match'] === '*' && bucket.has(key))
      throw new S3Error(412, 'PreconditionFailed');
    const metadata = Object.entries(request.headers)
      .filter(([header]) => header.startsWith('x-amz-meta-'))
      .map(([header, value]): [string, string] => [header.slice('x-amz-meta-'.length), String(value)]);
    const tags = [...new URLSearchParams(String(request.headers['x-amz-tagging'] ?? ''))];
    const stored = { ...describeObject(body), metadata: Object.fromEntries(metadata), tags };
    bucket.set(key, stored);
    this.onPut(key);
    return stored;
  }

  #put(
    request: IncomingMessage,
    response: ServerResponse,
    bucket: Map<string, StoredObject>,
    key: string,
    body: Buffer,
  ): void {
    const { etag, versionId } = this.#store(request, bucket, key, body);
    response.writeHead(200, { etag: `"${etag}"`, 'x-amz-version-id': versionId }).end();
  }

  #get(
    request: IncomingMessage,
    response: ServerResponse,
    bucket: Map<string, StoredObject>,
    key: string,
    query: URLSearchParams,
  ): void {
    const stored = bucket.get(key);
    if (stored === undefined) throw new S3Error(404, 'NoSuchKey');
    const { body, etag, versionId, modified, metadata, tags } = stored;
    if (query.has('tagging')) {
      const set = tags.map(
        ([tag, value]) => `<Tag><Key>${escapeXml(tag)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
      );
      return void response.end(xml('Tagging', `<TagSet>${set.join('')}</TagSet>`));
    }
    const headers: Record<string, string | number> = {
      etag: `"${etag}"`,
      'last-modified': modified.toUTCString(),
      'x-amz-version-id': versionId,
      'accept-ranges': 'bytes',
      'content-type': 'application/octet-stream',
      ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
      ...(tags.length === 0 ? {} : { 'x-amz-tagging-count': tags.length }),
    };
    if (request.headers['if-none-match'] === `"${etag}"`) return void response.writeHead(304, headers).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (range !== null && Number(range[1]) >= body.length) throw new S3Error(416, 'InvalidRange');
    const start = range === null ? 0 : Number(range[1]);
    const end = range === null || range[2] === '' ? body.length : Math.min(body.length, Number(range[2]) + 1);
    headers['content-length'] = end - start;
    if (range !== null) headers['content-range'] = `bytes ${start}-${end - 1}/${body.length}`;
    response.writeHead(range === null ? 200 : 206, headers);
    response.end(request.method === 'HEAD' ? undefined : body.subarray(start, end));
  }

  #list(bucket: Map<string, StoredObject>, query: URLSearchParams, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
    const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const keys = [...bucket.keys()]
      .filter((key) => key.startsWith(prefix) && (after === '' || compare(key, after) > 0))
      .sort(compare);
    const page = keys.slice(0, most);
    const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : escapeXml;
    const contents = page.map((key) => {
      const { body, etag, modified } = bucket.get(key) as StoredObject;
      return `<Contents><Key>${encode(key)}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const more = keys.length > page.length;
    const next = more ? `<NextContinuationToken>${escapeXml(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    const head = `<KeyCount>${page.length}</KeyCount><MaxKeys>${most}</MaxKeys><IsTruncated>${more}</IsTruncated>`;
    response.end(xml('ListBucketResult', head + next + contents.join('')));
  }

  #deleteMany(bucket: Map<string, StoredObject>, body: Buffer, response: ServerResponse): void {
    for (const [, key = ''] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g))
      bucket.delete(unescapeXml(key));
    response.end(xml('DeleteResult', ''));
  }

  #multipart(
    request: IncomingMessage,
    response: ServerResponse,
    bucket: Map<string, StoredObject>,
    key: string,
    query: URLSearchParams,
    body: Buffer,
  ): void {
    if (query.has('uploads')) {
      const id = randomUUID();
      this.#uploads.set(id, new Map());
      return void response.end(
        xml('InitiateMultipartUploadResult', `<Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`),
      );
    }
    const id = query.get('uploadId') ?? '';
    const parts = this.#uploads.get(id);
    if (parts === undefined) throw new S3Error(404, 'NoSuchUpload');
    if (request.method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      const etag = createHash('md5').update(body).digest('hex');
      return void response.writeHead(200, { etag: `"${etag}"` }).end();
    }
    this.#uploads.delete(id);
    if (request.method === 'DELETE') return void response.writeHead(204).end();
    const whole = Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
    const { etag } = this.#store(request, bucket, key, whole);
    response.end(
      xml('CompleteMultipartUploadResult', `<Key>${escapeXml(key)}</Key><ETag>&quot;${etag}&quot;</ETag>`),
    );
  }
}

function describeObject(body: Buffer): StoredObject {
  const etag = createHash('md5').update(body).digest('hex');
  return { body, etag, versionId: randomUUID(), modified: new Date(), metadata: {}, tags: [] };
}

/** The SDK sends some bodies in chunks with a checksum after them (`aws-chunked`). */
function decodeBody(request: IncomingMessage, raw: Buffer): Buffer {
  if (!String(request.headers['content-encoding'] ?? '').includes('aws-chunked')) return raw;
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.subarray(at, end).toString(), 16);
    if (!(size > 0)) return Buffer.concat(chunks);
    chunks.push(raw.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

function xml(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
