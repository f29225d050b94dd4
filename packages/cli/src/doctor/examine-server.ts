import { LookalikeClient } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';
import packageJson from '../../package.json' with { type: 'json' };
import { clockOutcome, type Examination, failed, type Outcome, ok, skipped, warning } from './examination.ts';
import { examineApi } from './examine-api.ts';

export interface ServerExaminationOptions {
  key?: string;
  readOnly: boolean;
}

/** A first request may have to wait for a function to start. */
const patience = 30_000;

/** Looks at a deployment from outside. `false` where nothing answers. */
export async function examineServer(
  examination: Examination,
  address: string,
  { key, readOnly }: ServerExaminationOptions,
): Promise<boolean> {
  const base = address.replace(/\/+$/, '');
  const { hostname, protocol } = new URL(base);
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(base + path, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([examination.signal, AbortSignal.timeout(patience)]),
    });
  let skew: number | undefined;
  const reachable = await examination.check('reachable', async () => {
    const asked = Date.now();
    const response = await ask('/healthz').catch((error: Error) => {
      const cause = error.cause instanceof Error ? error.cause.message : error.message;
      throw new LookalikeError('connection-failed', `no answer from ${base}: ${cause}`, { cause: error });
    });
    const date = Date.parse(response.headers.get('date') ?? '');
    // Told in whole seconds, of some moment between question and answer.
    if (!Number.isNaN(date)) skew = date + 500 - (asked + Date.now()) / 2;
    const health = (await response.json().catch(() => ({}))) as { status?: string; version?: string };
    if (response.status !== 200 || health.status !== 'ok')
      return failed(`${base}/healthz answers ${response.status}: that is not Lookalike`);
    return versionOutcome(health.version ?? 'unknown');
  });
  if (reachable === 'failed') return false;
  await examination.check('connection', async () => {
    if (protocol === 'https:') return ok('TLS');
    return isThisMachine(hostname)
      ? ok('on this machine')
      : warning('http: keys and pictures travel unencrypted');
  });
  await examination.check('clock', async () =>
    skew === undefined ? skipped('the server does not tell its time') : clockOutcome(skew, 'the server'),
  );
  const locked = await examination.check('access', async () => {
    const [without, wrong] = await Promise.all([
      ask('/v1/collections?limit=1'),
      ask('/v1/collections?limit=1', { authorization: 'Bearer of-no-deployment-at-all' }),
    ]);
    if (refuses(without) && refuses(wrong)) return ok('refuses requests without a known key');
    if (without.status === 200 && isThisMachine(hostname)) return ok('open to this machine, without a key');
    return failed(
      `answers ${without.status} without a key and ${wrong.status} with a wrong one: everybody may use it; set keys`,
    );
  });
  if (key === undefined && locked === 'ok' && refuses(await ask('/v1/collections?limit=1'))) {
    await examination.check('key', async () =>
      warning('none given (--key or LOOKALIKE_KEY): the rest was not looked at'),
    );
    return true;
  }
  if (key !== undefined) {
    const known = await examination.check('key', async () => {
      const { status } = await ask('/v1/models', { authorization: `Bearer ${key}` });
      return status === 200 ? ok('is known') : failed(`is refused with ${status}`);
    });
    if (known === 'failed') return true;
  }
  await examineApi({
    client: new LookalikeClient(base, key === undefined ? {} : { key }),
    examination,
    readOnly,
    needsUploads: /\.(lambda-url|execute-api)\.[\w-]+\./.test(hostname),
  });
  return true;
}

function versionOutcome(version: string): Outcome {
  if (version === packageJson.version) return ok(`version ${version}`);
  return warning(`version ${version}, this command is ${packageJson.version}: use one version on both sides`);
}

/** By the app, or by AWS in front of it. */
function refuses({ status }: Response): boolean {
  return status === 401 || status === 403;
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
