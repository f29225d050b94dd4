import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

export interface WebFunctionOptions {
  module: string;
  env: Record<string, string>;
  /** What runs it; default this Node. */
  node?: string[] | undefined;
}

/** One environment of a Lambda Web Function: told an address, it listens there until it gets SIGTERM. */
export class WebFunction {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<number | string | null>;
  log = '';

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on('data', (chunk) => {
        this.log += chunk;
      });
    }
    this.#ended = new Promise((resolve) => process.on('exit', (code, signal) => resolve(code ?? signal)));
  }

  /** Resolves at once: the server may not listen yet. */
  static async start({ module, env, node = [process.execPath] }: WebFunctionOptions): Promise<WebFunction> {
    const address = `127.0.0.1:${await freePort()}`;
    const [command = '', ...before] = node;
    const child = spawn(command, [...before, module], {
      env: { ...process.env, ...env, AWS_LAMBDA_HTTP_ENDPOINT: address },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new WebFunction(`http://${address}`, child);
  }

  /** Resolves once it answers. Throws after `milliseconds`, with its log. */
  async listening(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    while (performance.now() < until) {
      const response = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (response?.status === 200) return;
      if (this.#process.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`the web function does not answer\n${this.log}`);
  }

  /** Milliseconds of processor time so far, all threads; what a busy machine does not blur. Linux only. */
  async processorTime(): Promise<number> {
    const stat = await readFile(`/proc/${this.#process.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime and stime, in ticks of 10 ms.
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  /** The exit code, or the signal that ended it. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | null> {
    this.#process.kill(signal);
    return this.#ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
