import { Worker } from 'node:worker_threads';
import { LookalikeError } from '@lookalike/store';
import type { WorkerAnswer, WorkerStart } from './inference-worker.ts';

/** The worker's entry beside this file: TypeScript in the repository, JavaScript in a bundle. */
const WORKER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? './inference-worker.ts' : './inference-worker.js',
  import.meta.url,
);

export type Inference = Extract<WorkerAnswer, { embedding: unknown }>;

interface Job {
  pixels: Uint8Array<ArrayBuffer>;
  resolve: (inference: Inference) => void;
  reject: (error: Error) => void;
}

export interface PoolOptions {
  threads: number;
  workerFile?: URL | string | undefined;
  start: WorkerStart;
}

/**
 * Worker threads with a session each; a job is one picture, so that an embedding never depends on what else is encoded or
 * on how many threads there are. The first thread starts with the pool, others when there is work for them. Idle threads
 * do not keep the process alive.
 */
export class InferencePool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #queue: Job[] = [];
  readonly #jobs = new Map<Worker, Job>();
  #closing = false;

  private constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the first thread has its session.
   * @throws `LookalikeError('invalid-model')` where the model is not what its description says; `'encoder-failed'` where
   * the runtime cannot load it.
   */
  static async open(options: PoolOptions): Promise<InferencePool> {
    const pool = new InferencePool(options);
    pool.#idle.push(await pool.#startWorker());
    return pool;
  }

  /** Takes ownership of `pixels`. */
  run(pixels: Uint8Array<ArrayBuffer>): Promise<Inference> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ pixels, resolve, reject });
      this.#dispatch();
    });
  }

  /** Ends the threads; call it when no job is under way. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop();
      if (!worker) break;
      const job = this.#queue.shift() as Job;
      this.#jobs.set(worker, job);
      worker.ref();
      worker.postMessage(job.pixels, [job.pixels.buffer]);
    }
    if (this.#queue.length > 0 && this.#all.size < this.#options.threads) this.#grow();
  }

  #grow(): void {
    this.#startWorker().then(
      (worker) => {
        this.#idle.push(worker);
        this.#dispatch();
      },
      (error: Error) => {
        // The threads that run go on with the queue; without any of them nobody would.
        if (this.#all.size === 0) for (const job of this.#queue.splice(0)) job.reject(error);
      },
    );
  }

  #startWorker(): Promise<Worker> {
    const worker = new Worker(this.#options.workerFile ?? WORKER_FILE, { workerData: this.#options.start });
    this.#all.add(worker);
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        this.#all.delete(worker);
        void worker.terminate();
        reject(error);
      };
      const failStart = (error: Error) => fail(failed(error.message, error));
      const exitEarly = (code: number) =>
        fail(failed(`the thread ended with code ${code} before it was ready`));
      worker.once('error', failStart);
      worker.once('exit', exitEarly);
      worker.once('message', (answer: WorkerAnswer) => {
        if (!('ready' in answer)) return fail(asError(answer));
        worker.off('error', failStart);
        worker.off('exit', exitEarly);
        worker.on('message', (later: WorkerAnswer) => this.#finish(worker, later));
        worker.on('error', (error) => this.#lose(worker, failed(error.message, error)));
        worker.on('exit', (code) => this.#lose(worker, failed(`the thread ended with code ${code}`)));
        this.#letGo(worker);
        resolve(worker);
      });
    });
  }

  #finish(worker: Worker, answer: WorkerAnswer): void {
    const job = this.#jobs.get(worker);
    this.#jobs.delete(worker);
    this.#letGo(worker);
    this.#idle.push(worker);
    if ('embedding' in answer) job?.resolve(answer);
    else job?.reject(asError(answer));
    this.#dispatch();
  }

  /** An idle thread keeps no process alive; one that is being ended does, or the process would end before it. */
  #letGo(worker: Worker): void {
    if (!this.#closing) worker.unref();
  }

  /** A thread that died: its picture fails, the next one gets a new thread. */
  #lose(worker: Worker, error: LookalikeError): void {
    if (!this.#all.delete(worker)) return;
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
    this.#jobs.get(worker)?.reject(error);
    this.#jobs.delete(worker);
    this.#dispatch();
  }
}

function failed(reason: string, cause?: unknown): LookalikeError {
  return new LookalikeError('encoder-failed', `inference failed: ${reason}`, { cause });
}

function asError(answer: WorkerAnswer): LookalikeError {
  if ('mismatch' in answer)
    return new LookalikeError('invalid-model', `the model file does not fit: ${answer.mismatch}`);
  return failed('failed' in answer ? answer.failed : 'unexpected answer of the thread');
}
