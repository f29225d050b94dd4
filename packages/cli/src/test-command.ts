import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

// These tests start processes that load a model: seconds each on a busy machine.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

export const TEST_PICTURES = fileURLToPath(new URL('../../../test/pictures', import.meta.url));
export const BIN = fileURLToPath(new URL('../bin/lookalike.js', import.meta.url));

export const original = (name: string) => join(TEST_PICTURES, name);

/** What `dedupe --json` prints. */
export interface DedupeJson {
  groups: {
    keep: string;
    items: { path: string; kind: string; similarity: number; transform?: string }[];
  }[];
  errors: { path: string; error: string }[];
}

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string | undefined>;
  /** Standard input, all of it. */
  input?: string;
  cwd?: string;
  /** Called with what standard error said so far. */
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the real command in a process of its own. */
export function runCommand(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return runProcess(process.execPath, [BIN, ...args], options);
}

export function runProcess(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '', FORCE_COLOR: '', ...options.env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
      options.onStderr?.(stderr, (signal) => child.kill(signal));
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
    child.stdin.end(options.input ?? '');
  });
}

/**
 * What `lookalike serve` greets with once it listens, and the address in it.
 * @throws with what it said, where it ends before
 */
export async function serverGreeting(child: ChildProcess): Promise<{ greeting: string; url: string }> {
  let greeting = '';
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (text) => {
      greeting += text;
      if (greeting.includes('Press Ctrl-C')) resolve();
    });
    child.once('close', () => reject(new Error(`the server ended: ${greeting}${errors}`)));
  });
  return { greeting, url: /http:\/\/[\d.:]+/.exec(greeting)?.[0] as string };
}

/** A temporary folder with a cache of its own, removed by `remove`. */
export async function temporaryFolder() {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-test-'));
  return {
    root,
    env: {
      LOOKALIKE_CACHE_DIR: join(root, '.cache'),
      LOOKALIKE_CONFIG_DIR: join(root, '.config'),
      LOOKALIKE_DATA_DIR: join(root, '.data'),
    },
    async write(path: string, content: Uint8Array | string) {
      const absolute = join(root, path);
      await mkdir(dirname(absolute), { recursive: true });
      await writeFile(absolute, content);
      return absolute;
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
