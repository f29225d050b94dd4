import { stat } from 'node:fs/promises';
import { LookalikeError, type ObjectStore, openFolderStore } from '@lookalike/store';
import type { S3StoreOptions } from '@lookalike/store/s3';

/** The data folder that commands use where none is named. */
export const DEFAULT_DATA = './lookalike-data';

/**
 * Opens what `--data` names: a folder, or `s3://bucket/prefix` with region, credentials and endpoint as the AWS SDK finds
 * them (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`, …).
 * @throws LookalikeError `invalid-data`; what opening the store throws.
 */
export async function openStore(location: string): Promise<ObjectStore> {
  if (isFolder(location)) return openFolderStore(location);
  // Loaded for S3 only: the AWS SDK is large.
  const { openS3Store } = await import('@lookalike/store/s3');
  return openS3Store(bucketOptions(location));
}

/** The same for work on what is there: throws `no-data` where there is no such folder, instead of making it. */
export async function openExistingStore(location: string): Promise<ObjectStore> {
  if (isFolder(location) && !(await stat(location).catch(() => undefined))?.isDirectory())
    throw new LookalikeError('no-data', `there is no data folder ${location}`);
  return openStore(location);
}

/** A bucket to read from: nothing is written to it, not even to find out what it can do. */
export async function openBucketForReading(location: string): Promise<ObjectStore> {
  const { S3Store } = await import('@lookalike/store/s3');
  return new S3Store(bucketOptions(location));
}

function bucketOptions(location: string): S3StoreOptions {
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(location) ?? [];
  if (bucket === undefined)
    throw new LookalikeError('invalid-data', `${location} names no bucket, expected s3://bucket/prefix`);
  const ownEndpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  return {
    bucket,
    ...(prefix && { prefix: prefix.endsWith('/') ? prefix : `${prefix}/` }),
    // Servers of one's own seldom have a host name a bucket.
    client: ownEndpoint ? { forcePathStyle: true } : {},
  };
}

export function isFolder(location: string): boolean {
  return !location.startsWith('s3:');
}
