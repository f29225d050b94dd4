import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Access, type ApiKey, hashApiKey, parseApiKeys } from '@lookalike/api';
import { required } from './environment.ts';
import { logger } from './telemetry.ts';

/** A new key works, and a removed one stops working, at most this much later (milliseconds). */
const refreshAfter = 5 * 60_000;

export interface DeployedAccess {
  access: Access;
  /**
   * To be awaited before a request is judged. Between two requests no time passes for a function: without it the first one after a
   * night would be judged by the keys of the evening.
   */
  refreshed(): Promise<void>;
}

/** Who may use the API, as the stack was deployed: signed requests (AWS has checked them) or the keys of a secret. */
export async function openAccess(): Promise<DeployedAccess> {
  if (required('LOOKALIKE_AUTH') === 'iam')
    return { access: { kind: 'upstream' }, refreshed: async () => {} };
  const secret = required('LOOKALIKE_KEYS_SECRET');
  const client = new SecretsManagerClient({});
  const read = async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
    return parseKeysSecret(SecretString ?? '');
  };
  let keys = await read();
  let readAt = Date.now();
  let reading: Promise<void> | undefined;
  const readAgain = async () => {
    try {
      keys = await read();
    } catch (error) {
      logger.error('the keys could not be read again; the last ones stay', error as Error);
    }
    readAt = Date.now();
    reading = undefined;
  };
  return {
    access: {
      kind: 'keys',
      get keys() {
        return keys;
      },
    },
    async refreshed() {
      if (Date.now() - readAt <= refreshAfter) return;
      reading ??= readAgain();
      await reading;
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
