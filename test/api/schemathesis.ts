/**
 * Sends what schemathesis makes of the OpenAPI document to a running server: examples, edge cases and random requests, valid and not.
 * Fails where the server answers 5xx, a status, a header or a body that the document does not have, or takes what it should refuse.
 *
 *     npm run check:api -- [--short] [--examples 30] [--seed 1]
 *
 * schemathesis comes from PyPI into a virtual environment under the folder for temporary files. Where that cannot be made, the check
 * says "skipped: schemathesis" and ends well.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { serve } from '@lookalike/api';
import { openTestApp, photograph } from '../../packages/api/src/testing/test-app.ts';

const release = '4.32.5';
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    /** For every change: a few examples of each operation, well under two minutes. */
    short: { type: 'boolean', default: false },
  },
});
const { examples, phases } = values.short
  ? { examples: '8', phases: 'examples,fuzzing' }
  : { examples: values.examples, phases: 'examples,coverage,fuzzing' };

/** The `st` command, installed on first use. */
function installed(): string | undefined {
  const environment = join(tmpdir(), `lookalike-schemathesis-${release}`);
  const command = join(environment, 'bin', 'st');
  if (existsSync(command)) return command;
  const steps = [
    ['python3', '-m', 'venv', environment],
    [join(environment, 'bin', 'pip'), 'install', '--quiet', `schemathesis==${release}`],
  ];
  for (const [program, ...args] of steps as [string, ...string[]][]) {
    const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
    if (status === 0) continue;
    console.log(
      `skipped: schemathesis ${release} cannot be installed (${error?.message ?? stderr.trim().split('\n').at(-1)})`,
    );
    return undefined;
  }
  return command;
}

/** In a thread of its own: the check below blocks this one. */
async function runServer(): Promise<void> {
  const { app, send, failures } = openTestApp();
  await send('PUT', '/v1/collections/photos', {});
  const items = [1, 2, 3].map((n) => ({ id: `item-${n}`, vector: [n, 1], metadata: { n } }));
  // Deletes go to `scratch`.
  for (const name of ['vectors', 'scratch']) {
    await send('PUT', `/v1/collections/${name}`, { dimension: 2 });
    await send('POST', `/v1/collections/${name}/items`, { items });
  }
  for (const name of ['cat.jpg', 'coffee.jpg', 'rocket.jpg'])
    await app.request(`http://localhost/v1/collections/photos/items/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg' },
      body: photograph(name),
    });
  const { job } = (await (await send('POST', '/v1/collections/photos/duplicates', {})).json()) as {
    job: string;
  };
  const { url } = await serve(app, { port: 0 });
  parentPort?.on('message', () =>
    parentPort?.postMessage({
      failures: failures.map(({ method, path, error }) => `${method} ${path}: ${String(error)}`),
    }),
  );
  parentPort?.postMessage({ url, job });
}

async function check(command: string): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  const reply = <T>() =>
    new Promise<T>((resolve) => worker.once('message', (message) => resolve(message as T)));
  const { url, job } = await reply<{ url: string; job: string }>();
  const { status } = spawnSync(
    command,
    [
      'run',
      `${url}/v1/openapi.json`,
      '--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method',
      `--max-examples=${examples}`,
      `--seed=${values.seed}`,
      `--phases=${phases}`,
      '--generation-database=none',
      '--suppress-health-check=all',
      '--request-timeout=30',
      '--no-color',
    ],
    {
      stdio: 'inherit',
      timeout: 900_000,
      env: {
        ...process.env,
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'schemathesis_hooks.py'),
        LOOKALIKE_TEST_JOB: job,
      },
    },
  );
  worker.postMessage('failures');
  const { failures } = await reply<{ failures: string[] }>();
  for (const failure of failures) console.error(`the server failed: ${failure}`);
  await worker.terminate();
  process.exitCode = status === 0 && failures.length === 0 ? 0 : 1;
}

if (isMainThread) {
  const command = installed();
  if (command !== undefined) await check(command);
} else await runServer();
