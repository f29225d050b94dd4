import { readFileSync } from 'node:fs';
import { openEngine } from '@lookalike/index';
import { MemoryStore } from '@lookalike/store';
import type { AppOptions, LookalikeApp } from '../app.ts';
import { createApp } from '../app.ts';
import { lazyEncoders } from '../encoders.ts';
import type { LogEntry } from '../request-log.ts';
import { pixelEncoder } from './pixel-encoder.ts';

export interface TestApp {
  app: LookalikeApp;
  store: MemoryStore;
  /** What the server failed at. */
  failures: LogEntry[];
  /** JSON in, the answer out. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** The real application over the real engine, in memory, with the quick encoder of tests. */
export function openTestApp(options: Partial<AppOptions> = {}): TestApp {
  const store = new MemoryStore();
  const failures: LogEntry[] = [];
  const app = createApp({
    engine: openEngine({ store, commitWindow: 0 }),
    objects: store,
    encoders: lazyEncoders({
      default: 'pixels',
      names: ['pixels', 'other-pixels'],
      open: (name) => Promise.resolve(pixelEncoder(name)),
    }),
    log: (entry) => failures.push(entry),
    ...options,
  });
  return {
    app,
    store,
    failures,
    send: async (method, path, body, headers = {}) =>
      app.request(`http://localhost${path}`, {
        method,
        headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

/** One of the free photographs of the project. */
export function photograph(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../../../test/pictures/${name}`, import.meta.url)));
}
