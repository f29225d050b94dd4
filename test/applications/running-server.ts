import { type ChildProcess, spawn } from 'node:child_process';
import { BIN, runCommand, serverGreeting, temporaryFolder } from '../../packages/cli/src/test-command.ts';

/** The real server over a folder of its own, and the real command against it. */
export async function runningServer(args: readonly string[] = []) {
  const folder = await temporaryFolder();
  const child: ChildProcess = spawn(process.execPath, [BIN, 'serve', '--port', '0', ...args], {
    env: { ...process.env, ...folder.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const { url } = await serverGreeting(child);
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
