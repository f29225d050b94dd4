import { randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Uploads } from '@lookalike/api';
import { LookalikeError } from '@lookalike/store';
import type { PictureSource } from './picture-source.ts';

export interface S3UploadsOptions {
  /** Of the client that signs; default as the SDK finds it. */
  config?: S3ClientConfig;
  bucket: string;
  /** Of the keys of uploads, `/`-ended: `uploads/`. */
  prefix: string;
  /** Opens `bucket` for reading, with a limit of bytes a picture. */
  sourceOf: (limit: number) => Pick<PictureSource, 'read'>;
}

/** Seconds in which an upload must begin. A function's credentials, which sign it, last longer. */
const expiresAfter = 15 * 60;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Uploads straight into a bucket: presigned PUTs. The signature covers size and type, so that S3 refuses other files, and
 * `If-None-Match: *`, so that nobody replaces what was uploaded. The random name of an upload is what gives access to it.
 */
export function s3Uploads({ config = {}, bucket, prefix, sourceOf }: S3UploadsOptions): Uploads {
  // Otherwise the SDK signs the checksum of an empty body along.
  const client = new S3Client({ ...config, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const start = `s3://${bucket}/${prefix}`;
  return {
    async create({ bytes, contentType }) {
      const name = randomUUID();
      const expires = new Date(Date.now() + expiresAfter * 1000);
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: prefix + name,
        ContentLength: bytes,
        ContentType: contentType,
        IfNoneMatch: '*',
      });
      // Loaded by the first upload: no cold start of a query waits for it.
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      const uploadUrl = await getSignedUrl(client, command, {
        expiresIn: expiresAfter,
        signableHeaders: new Set(['host', 'content-length', 'content-type', 'if-none-match']),
      });
      // Clients of HTTP set the length themselves.
      const headers = { 'content-type': contentType, 'if-none-match': '*' };
      return { url: start + name, uploadUrl, headers, expires: expires.toISOString() };
    },
    async read(url, limit, signal) {
      const name = url.startsWith(start) ? url.slice(start.length) : '';
      if (!uuid.test(name))
        throw new LookalikeError(
          'invalid-request',
          `url: expected one that POST /v1/uploads answered, ${start}…`,
        );
      signal.throwIfAborted();
      const found = await sourceOf(limit).read(prefix + name);
      if (found === undefined)
        throw new LookalikeError(
          'unknown-upload',
          `there is no picture at ${url}: it was not uploaded yet, or more than a day ago`,
        );
      return found.bytes;
    },
  };
}
