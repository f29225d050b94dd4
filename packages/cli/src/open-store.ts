import { LookalikeError, type ObjectStore, openFolderStore } from '@lookalike/store';

/** The data folder that commands use where none is named. */
export const DEFAULT_DATA = './lookalike-data';

/**
 * Opens what `--data` names: a folder, or `s3://bucket/prefix` with region, credentials and endpoint as the AWS SDK finds
 * them (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`, …).
 * @throws LookalikeError `invalid-data`; what opening the store throws.
 */
export async function openStore(location: string): Promise<ObjectStore> {
  if (!location.startsWith('s3:')) return openFolderStore(location);
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(location) ?? [];
  if (bucket === undefined)
    throw new LookalikeError(
      'invalid-data',
      `--data is ${location}, expected a folder or s3://bucket/prefix`,
    );
  // Loaded for S3 only: the AWS SDK is large.
  const { openS3Store } = await import('@lookalike/store/s3');
  const ownEndpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  return openS3Store({
    bucket,
    ...(prefix && { prefix: prefix.endsWith('/') ? prefix : `${prefix}/` }),
    // Servers of one's own seldom have a host name a bucket.
    client: ownEndpoint ? { forcePathStyle: true } : {},
  });
}

/** For people: an address, or the whole path of a folder. */
export function isFolder(location: string): boolean {
  return !location.startsWith('s3:');
}
