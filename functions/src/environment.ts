/** A setting of the function. Throws where it is missing. */
export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** `s3://bucket/prefix` or `s3://bucket`; the prefix ends with a slash or is empty. */
export function parseS3Location(location: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(location) ?? [];
  if (bucket === undefined) throw new Error(`expected s3://<bucket>/<prefix>, got ${location}`);
  return { bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}
