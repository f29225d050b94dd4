import { LookalikeError } from '@lookalike/store';

/** A notification of S3 says only that something happened to an object; what is true now is asked of S3. */
export interface ObjectChange {
  bucket: string;
  key: string;
}

interface S3Record {
  eventSource?: unknown;
  s3?: { bucket?: { name?: unknown }; object?: { key?: unknown } };
}

/**
 * Reads the body of a queue message that S3 wrote. Keys arrive form-encoded: a space as "+", the rest by percent.
 * S3's test message, sent when notifications are set up, holds no change.
 * Throws `LookalikeError('invalid-event')`.
 */
export function parseS3Event(body: string): ObjectChange[] {
  let event: { Event?: unknown; Records?: unknown };
  try {
    event = JSON.parse(body);
  } catch (cause) {
    throw new LookalikeError('invalid-event', 'the message is not JSON', { cause });
  }
  if (event.Event === 's3:TestEvent') return [];
  if (!Array.isArray(event.Records)) {
    throw new LookalikeError('invalid-event', 'expected a notification of S3 with "Records"');
  }
  return event.Records.map((record: S3Record, index) => {
    const bucket = record.s3?.bucket?.name;
    const key = record.s3?.object?.key;
    if (record.eventSource !== 'aws:s3' || typeof bucket !== 'string' || typeof key !== 'string') {
      throw new LookalikeError(
        'invalid-event',
        `record ${index} is none of S3: expected s3.bucket.name and s3.object.key`,
      );
    }
    return { bucket, key: decodeKey(key) };
  });
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new LookalikeError('invalid-event', `the key ${key} is not percent-encoded UTF-8`, { cause });
  }
}
