import type { Context } from 'hono';
import type { ApiEnv } from './app-context.ts';
import { isServerFailure } from './problems.ts';

export interface LogEntry {
  requestId: string;
  /** Missing for what no request waits for. */
  method?: string;
  /** Without the query, which may hold metadata. */
  path?: string;
  /** Missing for what went wrong after the status had been sent. */
  status?: number;
  milliseconds?: number;
  /** Name of the key. */
  key?: string;
  /** What is not the client's fault, or not expected. */
  error?: unknown;
}

export type Log = (entry: LogEntry) => void;

/** One line of JSON an entry on the standard error. */
export const logToStderr: Log = ({ error, ...entry }) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : error;
  process.stderr.write(
    `${JSON.stringify(error === undefined ? entry : { ...entry, error: String(text) })}\n`,
  );
};

/** Logs what the client is not told in full. */
export function logFailure(c: Context<ApiEnv>, error: unknown): void {
  // Where the client went away, nothing failed.
  if (!isServerFailure(error) || error === c.req.raw.signal.reason) return;
  c.get('log')({ requestId: c.get('requestId'), method: c.req.method, path: c.req.path, error });
}
