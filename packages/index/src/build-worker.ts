import { parentPort } from 'node:worker_threads';
import { type BuildJob, runBuildJob } from './build-job.ts';

// A build is long and synchronous: here it keeps no one waiting.
parentPort?.on('message', (job: BuildJob) => {
  try {
    parentPort?.postMessage({ built: runBuildJob(job) });
  } catch (error) {
    const { message, code, details } = error as { message: string; code?: string; details?: object };
    parentPort?.postMessage({ error: { message, code, details } });
  }
});
