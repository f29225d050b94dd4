import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Access, type ApiKey, hashApiKey, parseApiKeys } from '@lookalike/api';
import { required } from './environment.ts';
import { logger } from './telemetry.ts';

/** A new key works, and a removed one stops working, at most this much later (milliseconds). */
const refreshAfter = 5 * 60_000;

/** Who may use the API, as the stack was deployed: signed requests (AWS has checked them) or the keys of a secret. */
export async function openAccess(): Promise<Access> {
  if (required('LOOKALIKE_AUTH') === 'iam') return { kind: 'upstream' };
  const secret = required('LOOKALIKE_KEYS_SECRET');
  const client = new SecretsManagerClient({});
  const read = async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
    return parseKeysSecret(SecretString ?? '');
  };
  let keys = await read();
  let readAt = Date.now();
  return {
    kind: 'keys',
    get keys() {
      if (Date.now() - readAt > refreshAfter) {
        readAt = Date.now();
        read().then(
          (fresh) => {
            keys = fresh;
          },
          (error: Error) => logger.error('the keys could not be read again; the last ones stay', error),
        );
      }
      return keys;
    },
  };
}

/** `{"adminKey": "…", "keys": […]}`: the one that the stack made, in the clear, and more as hashes; both by choice. */
export function parseKeysSecret(text: string): ApiKey[] {
  const { adminKey, keys = [] } = JSON.parse(text) as { adminKey?: string; keys?: unknown };
  const stored = parseApiKeys(JSON.stringify({ keys }));
  if (adminKey === undefined || adminKey === '') return stored;
  if (adminKey.length < 32) throw new Error('adminKey: expected at least 32 characters');
  return [{ name: 'admin', hash: hashApiKey(adminKey), scope: 'admin' }, ...stored];
}
