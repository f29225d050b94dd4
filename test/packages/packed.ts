import { execFile } from 'node:child_process';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const repository = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

export interface Packed {
  /** Outside of the repository, empty but for the tarball. */
  folder: string;
  tarball: string;
  /** Paths in the package. */
  files: string[];
  remove(): Promise<void>;
}

/** What `npm pack -w` makes of a workspace. */
export async function pack(workspace: string): Promise<Packed> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'lookalike-packed-')));
  await run('npm', ['pack', '-w', workspace, '--pack-destination', folder], { cwd: repository });
  const [name = ''] = await readdir(folder);
  const tarball = join(folder, name);
  const { stdout } = await run('tar', ['-tzf', tarball]);
  return {
    folder,
    tarball,
    files: stdout
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, '')),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function runIn(folder: string, command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await run(command, args, { cwd: folder });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}
