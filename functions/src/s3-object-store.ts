import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  checkKey,
  type GetOptions,
  type ListOptions,
  type ListPage,
  LookalikeError,
  type ObjectBody,
  type ObjectStore,
  type PutOptions,
  type StoredObject,
} from '@lookalike/store';

export interface S3ObjectStoreOptions {
  client: S3Client;
  bucket: string;
  /** Before every key; empty, or ends with a slash. */
  prefix: string;
}

/** Of a multipart upload: S3 takes no part under 5 MiB but the last. */
const partBytes = 8 * 1024 * 1024;

export class S3ObjectStore implements ObjectStore {
  readonly description: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ client, bucket, prefix }: S3ObjectStoreOptions) {
    this.description = `s3://${bucket}/${prefix}`;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;
  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined | 'not-modified'> {
    const found = await this.#open(key, options);
    if (found === undefined || found === 'not-modified') return found;
    const body = await found.Body?.transformToByteArray();
    if (body === undefined || (found.ContentLength !== undefined && body.length !== found.ContentLength)) {
      throw new LookalikeError('store-unavailable', `${this.description}${key} came short`);
    }
    return {
      key,
      body,
      size: totalSize(found) ?? body.length,
      etag: found.ETag ?? '',
      lastModified: found.LastModified ?? new Date(0),
    };
  }

  async stream(
    key: string,
    options: Pick<GetOptions, 'range' | 'signal'> = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const found = await this.#open(key, options);
    if (found === undefined || found === 'not-modified') return undefined;
    return found.Body as unknown as AsyncIterable<Uint8Array>;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<{ etag: string }> {
    const target = this.#target(key);
    const absent = options.ifAbsent ? { IfNoneMatch: '*' } : {};
    try {
      if (!(body instanceof Uint8Array)) return await this.#putStream(target, body, absent, options.signal);
      const { ETag } = await this.#client.send(
        new PutObjectCommand({ ...target, Body: body, ...absent }),
        sendOptions(options),
      );
      return { etag: ETag ?? '' };
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412) {
        throw new LookalikeError('object-exists', `${key} exists already`, { cause: error });
      }
      throw error;
    }
  }

  async list(prefix: string, { startAfter, limit = 1000, signal }: ListOptions = {}): Promise<ListPage> {
    const objects: ListPage['objects'] = [];
    let token: string | undefined;
    for (;;) {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix + prefix,
          MaxKeys: Math.min(1000, limit - objects.length),
          ...(startAfter === undefined ? {} : { StartAfter: this.#prefix + startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        sendOptions({ signal }),
      );
      for (const { Key = '', Size = 0, ETag = '', LastModified = new Date(0) } of page.Contents ?? []) {
        objects.push({
          key: Key.slice(this.#prefix.length),
          size: Size,
          etag: ETag,
          lastModified: LastModified,
        });
      }
      token = page.NextContinuationToken;
      if (!page.IsTruncated || objects.length >= limit)
        return { objects, truncated: page.IsTruncated ?? false };
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let from = 0; from < keys.length; from += 1000) {
      const Objects = keys.slice(from, from + 1000).map((key) => ({ Key: this.#prefix + key }));
      const { Errors = [] } = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
      );
      if (Errors.length > 0) throw new LookalikeError('store-unavailable', `not deleted: ${Errors[0]?.Key}`);
    }
  }

  #target(key: string) {
    checkKey(key);
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  async #open(key: string, { range, ifNoneMatch, signal }: GetOptions) {
    if (range !== undefined && range.end <= range.start) return undefined;
    try {
      return await this.#client.send(
        new GetObjectCommand({
          ...this.#target(key),
          ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
          ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
        }),
        sendOptions({ signal }),
      );
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status === 404) return undefined;
      if (status === 304) return 'not-modified';
      throw error;
    }
  }

  async #putStream(
    target: { Bucket: string; Key: string },
    body: AsyncIterable<Uint8Array>,
    absent: { IfNoneMatch?: string },
    signal: AbortSignal | undefined,
  ): Promise<{ etag: string }> {
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand(target),
      sendOptions({ signal }),
    );
    const upload = { ...target, UploadId };
    try {
      const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for await (const part of partsOf(body)) {
        const PartNumber = Parts.length + 1;
        const { ETag } = await this.#client.send(
          new UploadPartCommand({ ...upload, PartNumber, Body: part }),
          sendOptions({ signal }),
        );
        Parts.push({ PartNumber, ETag });
      }
      const { ETag } = await this.#client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...absent }),
        sendOptions({ signal }),
      );
      return { etag: ETag ?? '' };
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
      throw error;
    }
  }
}

async function* partsOf(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let first = true;
  for await (const chunk of body) {
    chunks.push(Uint8Array.from(chunk));
    size += chunk.length;
    if (size < partBytes) continue;
    yield Buffer.concat(chunks);
    first = false;
    chunks = [];
    size = 0;
  }
  if (size > 0 || first) yield Buffer.concat(chunks);
}

function totalSize({ ContentRange }: { ContentRange?: string | undefined }): number | undefined {
  const total = /\/(\d+)$/.exec(ContentRange ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

function sendOptions({ signal }: { signal?: AbortSignal | undefined }): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
