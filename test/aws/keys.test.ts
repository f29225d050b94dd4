import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiKey } from '@lookalike/api';
import { afterEach, expect, test, vi } from 'vitest';
import { startSecretsServer } from './loopback/secrets-server.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test('a key that was taken out of the secret lets nobody in any more after five minutes, however long the function slept', async () => {
  const leaked = createApiKey('leaked', 'admin');
  const other = createApiKey('other', 'read');
  const secrets = await startSecretsServer(JSON.stringify({ adminKey: '', keys: [leaked.stored] }));
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-keys-'));
  const env = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'loopback',
    AWS_SECRET_ACCESS_KEY: 'loopback',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
    LOOKALIKE_AUTH: 'keys',
    LOOKALIKE_KEYS_SECRET: 'keys',
    LOOKALIKE_STORE: folder,
    LOOKALIKE_UPLOADS: 's3://pictures/uploads/',
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    POWERTOOLS_METRICS_DISABLED: 'true',
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    const { openApi } = await import('../../functions/src/api.ts');
    const { host } = await openApi();
    const ask = async (key: string) =>
      (await host.request('/v1/collections', { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await ask(leaked.key)).toBe(200);
    secrets.secret = JSON.stringify({ adminKey: '', keys: [other.stored] });
    expect(await ask(leaked.key)).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 });
    expect(await ask(leaked.key)).toBe(401);
    expect(await ask(other.key)).toBe(200);
  } finally {
    await secrets.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
