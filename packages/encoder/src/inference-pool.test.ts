import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

/** A thread that is ready after a while and answers every job. */
const thread = `
  import { parentPort } from 'node:worker_threads';
  setTimeout(() => parentPort.postMessage({ ready: true }), 300);
  parentPort.on('message', () => parentPort.postMessage({ embedding: new Float32Array(1), milliseconds: {} }));`;

const program = `
  import { InferencePool } from '${new URL('./inference-pool.ts', import.meta.url)}';
  const workerFile = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(thread)}));
  const pool = await InferencePool.open({ threads: 2, workerFile, start: {} });
  // The second job finds the first thread busy and has another one started.
  await Promise.all([pool.run(new Uint8Array(4)), pool.run(new Uint8Array(4))]);
  // That one becomes ready while nobody looks, so that it says so when it is being ended.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
  await pool.close();
  console.log('closed');`;

test('a thread that becomes ready while the pool is closed does not end the process early', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect({ code: await ended, stdout, stderr }).toEqual({ code: 0, stdout: 'closed\n', stderr: '' });
});
