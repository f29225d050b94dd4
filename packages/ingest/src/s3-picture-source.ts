import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  InvalidObjectState,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { Metadata } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { ObjectVersion, PictureSource, SourcePicture } from './picture-source.ts';

export interface S3PictureSourceOptions {
  client: S3Client;
  bucket: string;
  /** Bytes of a picture; larger ones are refused before they are read. Default 64 MiB. */
  maxBytes?: number;
}

const maxSidecarBytes = 256 * 1024;

/** Pictures of a bucket of S3. Metadata: the object's tags, then its `x-amz-meta-*`, which win. */
export function s3PictureSource({
  client,
  bucket,
  maxBytes = 64 * 1024 * 1024,
}: S3PictureSourceOptions): PictureSource {
  async function get(
    key: string,
    limit: number,
  ): Promise<{ found: GetObjectCommandOutput; bytes: Uint8Array } | undefined> {
    const found = await unlessMissing(
      client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error: unknown) => {
        if (!(error instanceof InvalidObjectState)) throw error;
        const message = `${key} is archived (${error.StorageClass ?? 'S3 Glacier'}): restore it, then ingest it again`;
        throw new LookalikeError('picture-archived', message, { cause: error });
      }),
    );
    if (found?.Body === undefined) return undefined;
    if ((found.ContentLength ?? 0) > limit) {
      (found.Body as unknown as { destroy(): void }).destroy();
      throw new LookalikeError(
        'picture-too-large',
        `${key} has ${found.ContentLength} bytes, more than ${limit}`,
        {
          details: { limit },
        },
      );
    }
    return { found, bytes: await found.Body.transformToByteArray() };
  }

  async function tagsOf(key: string): Promise<Metadata> {
    const answer = await unlessMissing(
      client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key })),
    );
    return Object.fromEntries((answer?.TagSet ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  return {
    bucket,
    async read(key): Promise<SourcePicture | undefined> {
      const got = await get(key, maxBytes);
      if (got === undefined) return undefined;
      const { found, bytes } = got;
      const tags = (found.TagCount ?? 0) > 0 ? await tagsOf(key) : {};
      return { ...versionOf(found), bytes, metadata: { ...tags, ...found.Metadata } };
    },
    async version(key) {
      const found = await unlessMissing(client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
      return found === undefined ? undefined : versionOf(found);
    },
    async readText(key) {
      const got = await get(key, maxSidecarBytes);
      if (got === undefined) return undefined;
      return { ...versionOf(got.found), text: new TextDecoder().decode(got.bytes) };
    },
  };
}

function versionOf({
  ETag = '',
  VersionId,
}: {
  ETag?: string | undefined;
  VersionId?: string | undefined;
}): ObjectVersion {
  return { etag: ETag.replaceAll('"', ''), ...(VersionId === undefined ? {} : { versionId: VersionId }) };
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
    throw error;
  }
}
