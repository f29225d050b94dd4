import { type ChildProcess, spawn } from 'node:child_process';
import { BIN, runCommand, temporaryFolder } from '../../packages/cli/src/test-command.ts';

/** The real server over a folder of its own, and the real command against it. */
export async function runningServer(args: readonly string[] = []) {
  const folder = await temporaryFolder();
  const child: ChildProcess = spawn(process.execPath, [BIN, 'serve', '--port', '0', ...args], {
    env: { ...process.env, ...folder.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (text) => {
      output += text;
      if (output.includes('Press Ctrl-C')) resolve();
    });
    child.once('close', () => reject(new Error(`the server ended: ${errors}`)));
  });
  const url = /http:\/\/[\d.:]+/.exec(output)?.[0] as string;
  return {
    url,
    ...folder,
    run: (...command: string[]) =>
      runCommand(command, { env: { ...folder.env, LOOKALIKE_URL: url }, cwd: folder.root }),
    async close() {
      child.kill('SIGTERM');
      await ended;
      await folder.remove();
    },
  };
}

export type RunningServer = Awaited<ReturnType<typeof runningServer>>;
