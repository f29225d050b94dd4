import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LookalikeError } from '@lookalike/store';
import { z } from 'zod';

/** `admin` may all, `write` may also read. */
export type Scope = 'read' | 'write' | 'admin';

/** A key as stored: the key itself is shown once, when it is made, and kept nowhere. */
export interface ApiKey {
  /** For logs. */
  name: string;
  /** SHA-256 of the key, 64 hex digits. A key has 256 random bits, so that no slow hash is needed. */
  hash: string;
  scope: Scope;
  /** Only these collections; missing: all. */
  collections?: readonly string[];
}

const apiKey = z.strictObject({
  name: z.string().min(1).max(128),
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the key, 64 hex digits'),
  scope: z.enum(['read', 'write', 'admin']),
  collections: z.array(z.string()).optional(),
});

/** Reads `{"keys": [...]}`, the format of a key file. Throws `LookalikeError('invalid-key-file')`. */
export function parseApiKeys(json: string): ApiKey[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new LookalikeError('invalid-key-file', 'the key file is not JSON', { cause });
  }
  const parsed = z.strictObject({ keys: z.array(apiKey) }).safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new LookalikeError(
      'invalid-key-file',
      `expected {"keys": [{name, hash, scope, collections?}]}: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  return parsed.data.keys.map(({ collections, ...key }) =>
    collections === undefined ? key : { ...key, collections },
  );
}

export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** A new key, to be shown once, and what to store of it. */
export function createApiKey(
  name: string,
  scope: Scope,
  collections?: readonly string[],
): { key: string; stored: ApiKey } {
  const key = `lk_${randomBytes(32).toString('base64url')}`;
  const stored: ApiKey = { name, hash: hashApiKey(key), scope };
  return { key, stored: collections === undefined ? stored : { ...stored, collections } };
}

/** Compares with every key in constant time, so that how long it takes says nothing of which one came near. */
export function findApiKey(keys: readonly ApiKey[], presented: string): ApiKey | undefined {
  const digest = createHash('sha256').update(presented).digest();
  let found: ApiKey | undefined;
  for (const key of keys) {
    if (timingSafeEqual(digest, Buffer.from(key.hash, 'hex'))) found = key;
  }
  return found;
}

const rank: Readonly<Record<Scope, number>> = { read: 0, write: 1, admin: 2 };

/** Throws `forbidden` where `key` does not allow `scope`, or not in this collection. */
export function assertAllowed(key: ApiKey, scope: Scope, collection: string | undefined): void {
  if (rank[key.scope] < rank[scope]) {
    throw new LookalikeError(
      'forbidden',
      `this needs a key of scope ${scope}; the key given has ${key.scope}`,
    );
  }
  if (key.collections !== undefined && collection !== undefined && !key.collections.includes(collection)) {
    throw new LookalikeError('forbidden', `the key is not for the collection ${collection}`);
  }
}
