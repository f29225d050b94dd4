import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface LambdaFunctionOptions {
  /** Of the module that exports the handler. */
  module: string;
  handler: string;
  env: Record<string, string>;
  /** What runs it; default this Node. */
  node?: string[];
}

interface Answer {
  id?: string;
  ready?: true;
  result?: unknown;
  error?: string;
}

/** One environment of a Lambda function: a process that handles one event at a time. */
export class LambdaFunction {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<
    string,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  readonly ready: Promise<void>;
  log = '';

  constructor({ module, handler, env, node = [process.execPath] }: LambdaFunctionOptions) {
    const [command = '', ...before] = node;
    const host = join(import.meta.dirname, 'function-host.mjs');
    this.#process = spawn(command, [...before, host, module, handler], {
      env: { ...process.env, AWS_LAMBDA_FUNCTION_NAME: handler, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    const readiness = Promise.withResolvers<void>();
    this.ready = readiness.promise;
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      if (answer.ready) readiness.resolve();
      const waiting = this.#waiting.get(answer.id ?? '');
      this.#waiting.delete(answer.id ?? '');
      if (answer.error === undefined) waiting?.resolve(answer.result);
      else waiting?.reject(new Error(`${answer.error}\n${this.log}`));
    });
    this.#process.on('exit', (code, signal) => {
      const error = new Error(`the function ended (${code ?? signal})\n${this.log}`);
      readiness.reject(error);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    this.ready.catch(() => {});
  }

  async invoke<T>(event: unknown, milliseconds = 300_000): Promise<T> {
    await this.ready;
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#process.stdin?.write(`${JSON.stringify({ id, event, milliseconds })}\n`);
    return (await promise) as T;
  }

  /** As when the machine under it fails. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
