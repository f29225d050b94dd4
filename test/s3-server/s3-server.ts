import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOfPresigned } from './presigned-request.ts';
import { escapeXml, unescapeXml } from './xml-text.ts';

/**
 * - `lost`: the request takes effect, and its connection breaks before the answer.
 * - `refused`: 503 before it takes effect. `conflict`: 409, as S3 answers one of two creates at once.
 * - `slow`: the answer takes a while. `truncated`: half of the body comes, then the connection breaks.
 */
export type S3Fault = 'lost' | 'refused' | 'conflict' | 'slow' | 'truncated';

export interface S3Request {
  method: string;
  /** Empty of requests to the bucket itself. */
  key: string;
  query: URLSearchParams;
}

export interface S3ServerOptions {
  /** 0, the default: any that is free. */
  port?: number;
  fault?: (request: S3Request) => S3Fault | undefined;
  /** As some servers do: creates overwrite. */
  ignorePreconditions?: boolean;
  /** Objects that a policy lets nobody delete. */
  keeps?: (key: string) => boolean;
}

interface StoredObject {
  body: Buffer;
  etag: string;
  versionId: string;
  modified: Date;
  metadata: Record<string, string>;
  tags: [string, string][];
  /** In a storage class of S3 Glacier: it can be described, and not read. */
  archived: boolean;
}

type Bucket = Map<string, StoredObject>;

interface Answer {
  status?: number;
  headers?: Record<string, string | number>;
  body?: Buffer | string;
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
  options: S3ServerOptions;
  readonly buckets = new Map<string, Bucket>();
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  readonly #server: Server;
  /** Requests by method and kind, such as `GET object`. */
  readonly requests = new Map<string, number>();
  url = '';
  /** Called after an object was written and before the answer. */
  onPut: (key: string) => void = () => {};

  private constructor(options: S3ServerOptions) {
    this.options = options;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** With these buckets, empty. */
  static async start(buckets: readonly string[], options: S3ServerOptions = {}): Promise<S3Server> {
    const s3 = new S3Server(options);
    for (const bucket of buckets) s3.buckets.set(bucket, new Map());
    await new Promise<void>((resolve) => s3.#server.listen(options.port ?? 0, '127.0.0.1', resolve));
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
    const { method = 'GET' } = request;
    const query = url.searchParams;
    const [, bucket = '', ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const kind = `${method} ${key === '' ? 'bucket' : 'object'}`;
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1);

    const fault = this.options.fault?.({ method, key, query });
    const { status, headers, body } = this.#answer(fault, () =>
      this.#route(request, bucket, key, query, decodeBody(request, Buffer.concat(chunks))),
    );
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 30));
    if (fault === 'lost') return void response.destroy();
    const bytes = typeof body === 'object' ? body : Buffer.from(body ?? '');
    response.writeHead(status ?? 200, { 'content-length': bytes.length, ...headers });
    if (fault === 'truncated' && bytes.length > 1)
      return void response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
    response.end(method === 'HEAD' ? undefined : bytes);
  }

  #answer(fault: S3Fault | undefined, route: () => Answer): Answer {
    try {
      if (fault === 'refused') throw new S3Error(503, 'SlowDown');
      if (fault === 'conflict') throw new S3Error(409, 'ConditionalRequestConflict');
      return route();
    } catch (error) {
      const { status, code } = error instanceof S3Error ? error : new S3Error(500, 'InternalError');
      const message = escapeXml((error as Error).message);
      return { ...xml('Error', `<Code>${code}</Code><Message>${message}</Message>`), status };
    }
  }

  #route(request: IncomingMessage, name: string, key: string, query: URLSearchParams, body: Buffer): Answer {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new S3Error(404, 'NoSuchBucket');
    const refusal = query.has('X-Amz-Signature') ? refusalOfPresigned(request, SECRET_KEY) : undefined;
    if (refusal !== undefined) throw new S3Error(403, refusal);
    const { method } = request;
    if (key === '') {
      if (method === 'POST' && query.has('delete')) return deleteMany(bucket, body, this.options.keeps);
      if (method === 'GET') return list(bucket, query);
      if (method === 'HEAD') return {};
    } else if (query.has('uploads') || query.has('uploadId')) {
      return this.#multipart(request, bucket, key, query, body);
    } else if (method === 'PUT') {
      const { etag, versionId } = this.#store(request, bucket, key, body);
      return { headers: { etag: `"${etag}"`, 'x-amz-version-id': versionId } };
    } else if (method === 'GET' || method === 'HEAD') {
      return read(request, bucket, key, query);
    } else if (method === 'DELETE') {
      bucket.delete(key);
      return { status: 204 };
    }
    throw new S3Error(501, 'NotImplemented');
  }

  #store(request: IncomingMessage, bucket: Bucket, key: string, body: Buffer): StoredObject {
    // No await between the look and the write: of racing creates one wins.
    if (request.headers['if-none-match'] === '*' && bucket.has(key) && !this.options.ignorePreconditions)
      throw new S3Error(412, 'PreconditionFailed');
    const metadata = Object.entries(request.headers)
      .filter(([header]) => header.startsWith('x-amz-meta-'))
      .map(([header, value]): [string, string] => [header.slice('x-amz-meta-'.length), String(value)]);
    const tags = [...new URLSearchParams(String(request.headers['x-amz-tagging'] ?? ''))];
    const archived = /^(GLACIER|DEEP_ARCHIVE)$/.test(String(request.headers['x-amz-storage-class'] ?? ''));
    const stored = { ...describeObject(body), metadata: Object.fromEntries(metadata), tags, archived };
    bucket.set(key, stored);
    this.onPut(key);
    return stored;
  }

  #multipart(
    request: IncomingMessage,
    bucket: Bucket,
    key: string,
    query: URLSearchParams,
    body: Buffer,
  ): Answer {
    if (query.has('uploads')) {
      const id = randomUUID();
      this.#uploads.set(id, new Map());
      return xml('InitiateMultipartUploadResult', `<Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`);
    }
    const id = query.get('uploadId') ?? '';
    const parts = this.#uploads.get(id);
    if (parts === undefined) throw new S3Error(404, 'NoSuchUpload');
    if (request.method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      return { headers: { etag: `"${md5(body, 'hex')}"` } };
    }
    if (request.method === 'POST') {
      const whole = Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
      const { etag } = this.#store(request, bucket, key, whole);
      this.#uploads.delete(id);
      return xml(
        'CompleteMultipartUploadResult',
        `<Key>${escapeXml(key)}</Key><ETag>&quot;${etag}&quot;</ETag>`,
      );
    }
    this.#uploads.delete(id);
    return { status: 204 };
  }
}

function read(request: IncomingMessage, bucket: Bucket, key: string, query: URLSearchParams): Answer {
  const stored = bucket.get(key);
  if (stored === undefined) throw new S3Error(404, 'NoSuchKey');
  const { body, etag, versionId, modified, metadata, tags } = stored;
  if (query.has('tagging')) {
    const set = tags.map(
      ([tag, value]) => `<Tag><Key>${escapeXml(tag)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
    );
    return xml('Tagging', `<TagSet>${set.join('')}</TagSet>`);
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
  if (request.headers['if-none-match'] === `"${etag}"`) return { status: 304, headers };
  if (stored.archived && request.method === 'GET') throw new S3Error(403, 'InvalidObjectState');
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) return { headers, body };
  const start = Number(range[1]);
  if (start >= body.length) throw new S3Error(416, 'InvalidRange');
  const end = range[2] === '' ? body.length : Math.min(body.length, Number(range[2]) + 1);
  headers['content-range'] = `bytes ${start}-${end - 1}/${body.length}`;
  return { status: 206, headers, body: body.subarray(start, end) };
}

function list(bucket: Bucket, query: URLSearchParams): Answer {
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
  return xml('ListBucketResult', head + next + contents.join(''));
}

function deleteMany(bucket: Bucket, body: Buffer, keeps: S3ServerOptions['keeps']): Answer {
  let refused = '';
  for (const [, key = ''] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g))
    if (keeps?.(unescapeXml(key)))
      refused += `<Error><Key>${key}</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`;
    else bucket.delete(unescapeXml(key));
  return xml('DeleteResult', refused);
}

function describeObject(body: Buffer): StoredObject {
  const [etag, versionId] = [md5(body, 'hex'), randomUUID()];
  return { body, etag, versionId, modified: new Date(), metadata: {}, tags: [], archived: false };
}

function md5(body: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('md5').update(body).digest(encoding);
}

/** The SDK sends some bodies in chunks with a checksum after them (`aws-chunked`). */
function decodeBody(request: IncomingMessage, raw: Buffer): Buffer {
  const given = request.headers['content-md5'];
  if (given !== undefined && given !== md5(raw, 'base64')) throw new S3Error(400, 'BadDigest');
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

function xml(root: string, content: string): Answer {
  return {
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`,
  };
}
