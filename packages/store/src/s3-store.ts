import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { checkStore } from './check-store.ts';
import { LookalikeError } from './errors.ts';
import { checkKey, checkPrefix } from './keys.ts';
import type {
  GetOptions,
  ListOptions,
  ListPage,
  ObjectBody,
  ObjectStore,
  PutOptions,
  StoredObject,
} from './object-store.ts';
import { MultipartUpload, partBytes } from './s3-multipart.ts';

export interface S3StoreOptions {
  bucket: string;
  /** Before every key, `/`-ended or empty. */
  prefix?: string;
  /** Of the SDK: region, endpoint, credentials, forcePathStyle. */
  client?: S3ClientConfig | S3Client;
  /** Attempts of a call that failed in a way that may pass; default 5. */
  attempts?: number;
}

const deleteAtOnce = 1000;

/**
 * Objects of an S3 bucket, or of a server that speaks its protocol and honours `If-None-Match: *` (`checkStore` finds out).
 * Opened with `openS3Store`.
 */
export class S3Store implements ObjectStore {
  readonly description: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #attempts: number;

  constructor({ bucket, prefix = '', client = {}, attempts = 5 }: S3StoreOptions) {
    if (prefix !== '') checkPrefix(prefix);
    if (prefix !== '' && !prefix.endsWith('/'))
      throw new LookalikeError(
        'invalid-config',
        `prefix ${JSON.stringify(prefix)}: expected it to end in '/'`,
      );
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#attempts = attempts;
    this.description = `s3://${bucket}/${prefix}`;
    // One attempt a call of the SDK: what a retry means is for this class to say.
    this.#client = client instanceof S3Client ? client : new S3Client({ ...client, maxAttempts: 1 });
  }

  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;
  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined | 'not-modified'> {
    checkKey(key);
    const { range, ifNoneMatch, signal } = options;
    if (range !== undefined && range.end <= range.start) return this.#emptyRange(key, signal);
    return this.#retry(`read ${key}`, signal, async () => {
      try {
        const answer = await this.#client.send(
          new GetObjectCommand({
            Bucket: this.#bucket,
            Key: this.#prefix + key,
            ...(range && { Range: `bytes=${range.start}-${range.end - 1}` }),
            ...(ifNoneMatch && { IfNoneMatch: ifNoneMatch }),
          }),
          { ...(signal && { abortSignal: signal }) },
        );
        const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
        if (answer.ContentLength !== undefined && body.length !== answer.ContentLength)
          throw shortRead(key, body.length, answer.ContentLength);
        const whole = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
        return {
          key,
          size: whole === undefined ? body.length : Number(whole),
          etag: answer.ETag ?? '',
          lastModified: answer.LastModified ?? new Date(0),
          body,
        };
      } catch (error) {
        const status = statusOf(error);
        if (status === 304) return 'not-modified';
        if (status === 404) return undefined;
        // A range that begins at or after the end.
        if (status === 416) return this.#emptyRange(key, signal);
        throw error;
      }
    });
  }

  /** An object of which no byte was asked for. */
  async #emptyRange(key: string, signal: AbortSignal | undefined): Promise<StoredObject | undefined> {
    const page = await this.list(key, { limit: 1, ...(signal && { signal }) });
    const [found] = page.objects;
    return found?.key === key ? { ...found, body: new Uint8Array(0) } : undefined;
  }

  async stream(
    key: string,
    options: Pick<GetOptions, 'range' | 'signal'> = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    // Parts, each checked and retried by itself: a connection that breaks half-way costs one of them.
    const start = options.range?.start ?? 0;
    const end = options.range?.end ?? Number.POSITIVE_INFINITY;
    const { signal } = options;
    const part = (from: number, to: number) =>
      this.get(key, {
        range: { start: from, end: Math.min(to, from + partBytes) },
        ...(signal && { signal }),
      });
    const first = await part(start, end);
    if (first === undefined) return undefined;
    const last = Math.min(end, first.size);
    return (async function* () {
      let at = start + first.body.length;
      // The next part is on its way while this one is used.
      let next = at < last ? part(at, last) : undefined;
      next?.catch(() => undefined);
      yield first.body;
      while (next !== undefined) {
        const found: StoredObject | undefined = await next;
        if (found === undefined || found.etag !== first.etag)
          throw new LookalikeError('short-read', `${key} was replaced while it was read`);
        at += found.body.length;
        next = at < last ? part(at, last) : undefined;
        next?.catch(() => undefined);
        yield found.body;
      }
    })();
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<{ etag: string }> {
    checkKey(key);
    const { signal, ifAbsent } = options;
    signal?.throwIfAborted();
    if (!(body instanceof Uint8Array)) {
      const upload = new MultipartUpload(this.#client, this.#bucket, this.#prefix + key, (work) =>
        this.#retry(`write ${key}`, signal, work),
      );
      const head = await upload.begin(body);
      // Small after all: one put.
      if (head !== undefined) return this.put(key, head, options);
      return upload.finish(ifAbsent === true, (error) => this.#putError(key, error));
    }
    const bytes = body;
    const send = async () => {
      const answer = await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: this.#prefix + key,
          Body: bytes,
          ContentMD5: createHash('md5').update(bytes).digest('base64'),
          ...(ifAbsent && { IfNoneMatch: '*' }),
        }),
        { ...(signal && { abortSignal: signal }) },
      );
      return { etag: answer.ETag ?? '' };
    };
    // A create is never repeated here: whether a lost answer was a success only the caller can tell, by what it wrote.
    try {
      return await (ifAbsent ? send() : this.#retry(`write ${key}`, signal, send));
    } catch (error) {
      throw this.#putError(key, error);
    }
  }

  #putError(key: string, error: unknown): unknown {
    if (statusOf(error) === 412)
      return new LookalikeError('object-exists', `${key} exists already`, { cause: error });
    return error;
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    checkPrefix(prefix);
    const { startAfter, limit = 1000, signal } = options;
    const objects: ListPage['objects'] = [];
    let truncated = true;
    let token: string | undefined;
    while (truncated && objects.length < limit) {
      const answer = await this.#retry(`list ${prefix}`, signal, () =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix + prefix,
            MaxKeys: Math.min(1000, limit - objects.length),
            ...(startAfter && token === undefined && { StartAfter: this.#prefix + startAfter }),
            ...(token && { ContinuationToken: token }),
          }),
          { ...(signal && { abortSignal: signal }) },
        ),
      );
      for (const { Key = '', Size = 0, ETag = '', LastModified = new Date(0) } of answer.Contents ?? [])
        objects.push({
          key: Key.slice(this.#prefix.length),
          size: Size,
          etag: ETag,
          lastModified: LastModified,
        });
      truncated = answer.IsTruncated === true;
      token = answer.NextContinuationToken;
    }
    return { objects, truncated };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let at = 0; at < keys.length; at += deleteAtOnce) {
      const part = keys.slice(at, at + deleteAtOnce);
      await this.#retry(`delete ${part[0]}`, undefined, async () => {
        const answer = await this.#client.send(
          new DeleteObjectsCommand({
            Bucket: this.#bucket,
            Delete: { Quiet: true, Objects: part.map((key) => ({ Key: this.#prefix + key })) },
          }),
        );
        const [failed] = answer.Errors ?? [];
        if (failed !== undefined)
          throw new LookalikeError(
            'store-unavailable',
            `cannot delete ${failed.Key}: ${failed.Code} ${failed.Message}`,
          );
      });
    }
  }

  /** Repeats what may be repeated: with growing, jittered pauses. */
  async #retry<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (signal?.aborted || !mayPass(error)) throw error;
        if (attempt >= this.#attempts)
          throw new LookalikeError(
            'store-unavailable',
            `cannot ${what} in ${this.description} after ${attempt} attempts: ${error instanceof Error ? error.message : error}`,
            { cause: error },
          );
      }
      await sleep(Math.random() * Math.min(5000, 50 * 2 ** attempt));
    }
  }
}

/** Checks that the store honours creates, then gives it. Throws `unsafe-store` where it does not. */
export async function openS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  const store = new S3Store(options);
  await checkStore(store);
  return store;
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

/** Connections that broke, servers that are busy: not what the caller did wrong. */
function mayPass(error: unknown): boolean {
  if (error instanceof LookalikeError) return error.code === 'short-read';
  const status = statusOf(error);
  return (
    status === undefined ||
    status >= 500 ||
    status === 429 ||
    status === 408 ||
    status === 409 ||
    status === 200 ||
    status === 206
  );
}

function shortRead(key: string, got: number, expected: number): LookalikeError {
  return new LookalikeError('short-read', `${key}: ${got} of ${expected} bytes came`);
}
