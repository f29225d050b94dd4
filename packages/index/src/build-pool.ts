import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { LookalikeError } from '@lookalike/store';
import { countBits } from './bits.ts';
import type { BuildJob } from './build-job.ts';
import { coarseRowBytes } from './coarse-codes.ts';
import { codeRowBytes } from './codes.ts';
import type { BuiltSegment, SegmentSettings } from './segment-builder.ts';

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

/**
 * Builds segments in worker threads, a few at a time, as memory allows. Builds without a graph are short and take little, and writers
 * may wait for them: they have threads of their own.
 */
export class BuildPool {
  readonly size: number;
  /** Bytes that builds of graphs under way take together at most, roughly. */
  readonly #maxBytes: number;
  #bytesInUse = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #idle = new Map<Worker, NodeJS.Timeout>();
  readonly #short = new Set<Worker>();
  readonly #long = new Set<Worker>();
  #closed = false;

  constructor({ size = availableParallelism(), maxBytes }: { size?: number; maxBytes: number }) {
    this.size = size;
    this.#maxBytes = maxBytes;
  }

  /** Rows of the largest segment that may be built. */
  maxRows(settings: SegmentSettings): number {
    const rows = Math.floor(this.#maxBytes / rowBytesOf(settings));
    return rows >= settings.graphMinRows ? rows : settings.graphMinRows - 1;
  }

  async build(job: BuildJob): Promise<BuiltSegment[]> {
    const { dimension, graphMinRows } = job.settings;
    const rows = rowsOf(job);
    const isShort = rows < graphMinRows;
    if (rows * dimension * (isShort ? 1 : graphCost) <= smallJob) {
      const { runBuildJob } = await import('./build-job.ts');
      return runBuildJob(job);
    }
    const bytes = isShort ? 0 : Math.min(rows, job.maxRows) * rowBytesOf(job.settings);
    const busy = isShort ? this.#short : this.#long;
    const mustWait = () =>
      busy.size >= this.size || (busy.size > 0 && this.#bytesInUse + bytes > this.#maxBytes);
    while (mustWait()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed) throw new LookalikeError('closed', 'the engine is closed');
    const worker = this.#take();
    busy.add(worker);
    this.#bytesInUse += bytes;
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
      busy.delete(worker);
      this.#bytesInUse -= bytes;
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
    const workers = [...this.#short, ...this.#long, ...this.#idle.keys()];
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

/** In memory while a segment is built: the graph; coarse codes; twice, as they are once a file too, codes, id and version. */
function rowBytesOf({ dimension, hnsw }: SegmentSettings): number {
  return dimension * 4 + hnsw.m * 8 + 30 + coarseRowBytes(dimension) + 2 * (codeRowBytes(dimension) + 40);
}

function rowsOf(job: BuildJob): number {
  return (job.tail?.count ?? 0) + job.segments.reduce((sum, { live }) => sum + countBits(live), 0);
}
