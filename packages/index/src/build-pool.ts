import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { LookalikeError } from '@lookalike/store';
import { countBits } from './bits.ts';
import { type BuildJob, runBuildJob } from './build-job.ts';
import type { BuiltSegment } from './segment-builder.ts';

/** Beside this file: as source, or bundled. */
function workerFile(): string {
  const source = fileURLToPath(new URL('./build-worker.ts', import.meta.url));
  return existsSync(source) ? source : fileURLToPath(new URL('./build-worker.js', import.meta.url));
}

interface Answer {
  built?: BuiltSegment[];
  error?: { message: string; code?: string; details?: Record<string, unknown> };
}

/** Threads that have nothing to do end after this (milliseconds). */
const idleTime = 5000;
/** Jobs up to so many numbers (rows x dimensions) are done before a thread would have begun. */
const smallJob = 500_000;
/** A number of a graph costs as many of another. */
const graphCost = 25;

/** Bytes of memory that builds under way may take together, roughly; a larger one runs alone. */
const memoryLimit = 2 ** 30;

/** Builds segments in worker threads, a few at a time, as memory allows. */
export class BuildPool {
  readonly size: number;
  #memoryInUse = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #idle = new Map<Worker, NodeJS.Timeout>();
  readonly #busy = new Set<Worker>();
  #closed = false;

  constructor(size: number = availableParallelism()) {
    this.size = size;
  }

  async build(job: BuildJob): Promise<BuiltSegment[]> {
    const rows = rowsOf(job);
    const cost = rows * job.settings.dimension * (rows < job.settings.graphMinRows ? 1 : graphCost);
    if (cost <= smallJob) return runBuildJob(job);
    const memory = memoryOf(job);
    const mustWait = () =>
      this.#busy.size >= this.size || (this.#busy.size > 0 && this.#memoryInUse + memory > memoryLimit);
    while (mustWait()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed) throw new LookalikeError('closed', 'the engine is closed');
    const worker = this.#take();
    this.#busy.add(worker);
    this.#memoryInUse += memory;
    let reusable = false;
    try {
      const answer = await ask(worker, job);
      reusable = true;
      if (answer.error !== undefined) {
        const { message, code = 'build-failed', details } = answer.error;
        throw new LookalikeError(code, message, { ...(details && { details }) });
      }
      return answer.built ?? [];
    } finally {
      this.#busy.delete(worker);
      this.#memoryInUse -= memory;
      if (reusable && !this.#closed) this.#rest(worker);
      else await worker.terminate();
      for (const look of this.#waiting.splice(0)) look();
    }
  }

  #take(): Worker {
    for (const [worker, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(worker);
      worker.ref();
      return worker;
    }
    return new Worker(workerFile());
  }

  #rest(worker: Worker): void {
    worker.unref();
    const timer = setTimeout(() => {
      this.#idle.delete(worker);
      void worker.terminate();
    }, idleTime);
    timer.unref();
    this.#idle.set(worker, timer);
  }

  /** Ends builds under way: they are repeated by whoever comes next. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#idle.values()) clearTimeout(timer);
    const workers = [...this.#busy, ...this.#idle.keys()];
    this.#idle.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, job: BuildJob): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const ended = (code: number) =>
      settle(() => reject(new LookalikeError('closed', `the build ended with exit code ${code}`)));
    const failed = (error: unknown) => settle(() => reject(error));
    const answered = (answer: Answer) => settle(() => resolve(answer));
    const settle = (action: () => void) => {
      worker.off('message', answered).off('error', failed).off('exit', ended);
      action();
    };
    worker.on('message', answered).on('error', failed).on('exit', ended);
    // Moved, not copied: nobody looks at the rows of a job any more.
    const arrays = job.tail === undefined ? [] : Object.values(job.tail).filter(ArrayBuffer.isView);
    worker.postMessage(job, [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]);
  });
}

/** The graph and codes of the segment that is being built, the codes once more as a file, ids and versions. */
function memoryOf(job: BuildJob): number {
  const { dimension, hnsw, graphMinRows } = job.settings;
  const rows = Math.min(rowsOf(job), job.maxRows);
  const graph = rows < graphMinRows ? 0 : dimension * 4 + hnsw.m * 8 + 30;
  return rows * (graph + 2 * (dimension + 16) + 120);
}

function rowsOf(job: BuildJob): number {
  return (job.tail?.count ?? 0) + job.segments.reduce((sum, { live }) => sum + countBits(live), 0);
}
