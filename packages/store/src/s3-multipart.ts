import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { LookalikeError } from './errors.ts';

/** Parts of large objects, read and written; S3 wants at least 5 MiB and at most 10,000 of them. */
export const partBytes = 8 * 1024 * 1024;
const maxPartBytes = 64 * 1024 * 1024;

/** Repeats what may be repeated. */
export type Retry = <T>(work: () => Promise<T>) => Promise<T>;

/** One large object, in parts as they come, so that it is never in memory as a whole. */
export class MultipartUpload {
  readonly #client: S3Client;
  readonly #target: { Bucket: string; Key: string };
  readonly #retry: Retry;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #rest: AsyncIterator<Uint8Array> | undefined;

  constructor(client: S3Client, bucket: string, key: string, retry: Retry) {
    this.#retry = retry;
    this.#client = client;
    this.#target = { Bucket: bucket, Key: key };
  }

  /** Reads the beginning of `body`; all of it, where that is less than a part. */
  async begin(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
    this.#rest = body[Symbol.asyncIterator]();
    if (await this.#fill(partBytes)) return undefined;
    return this.#take(this.#buffered);
  }

  /** Uploads what `begin` read and the rest. Nothing is seen of it before the end, and nothing is left of a failure. */
  async finish(ifAbsent: boolean, explain: (error: unknown) => unknown): Promise<{ etag: string }> {
    const { UploadId } = await this.#retry(() =>
      this.#client.send(new CreateMultipartUploadCommand(this.#target)),
    );
    const upload = { ...this.#target, UploadId };
    try {
      const parts: { PartNumber: number; ETag: string | undefined }[] = [];
      // Larger parts later: 10,000 of one size would end at 80 GB.
      const sizeOf = (number: number) => Math.min(maxPartBytes, partBytes * (1 + Math.floor(number / 1000)));
      for (let more = true; more; ) {
        const PartNumber = parts.length + 1;
        more = await this.#fill(sizeOf(PartNumber));
        const Body = this.#take(Math.min(this.#buffered, sizeOf(PartNumber)));
        if (Body.length === 0 && parts.length > 0) break;
        const { ETag } = await this.#retry(() =>
          this.#client.send(new UploadPartCommand({ ...upload, PartNumber, Body })),
        );
        parts.push({ PartNumber, ETag });
      }
      const done = await this.#client.send(
        new CompleteMultipartUploadCommand({
          ...upload,
          MultipartUpload: { Parts: parts },
          ...(ifAbsent && { IfNoneMatch: '*' }),
        }),
      );
      if (done.ETag === undefined)
        throw new LookalikeError('store-unavailable', `the upload of ${this.#target.Key} was not completed`);
      return { etag: done.ETag };
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw explain(error);
    }
  }

  /** False where the body ended before so many bytes were buffered. */
  async #fill(bytes: number): Promise<boolean> {
    while (this.#buffered < bytes) {
      const { value, done } = (await this.#rest?.next()) ?? { done: true, value: undefined };
      if (done) return false;
      this.#chunks.push(value);
      this.#buffered += value.length;
    }
    return true;
  }

  #take(bytes: number): Uint8Array {
    const all = Buffer.concat(this.#chunks);
    const rest = all.subarray(bytes);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
    return all.subarray(0, bytes);
  }
}
