import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'lookalike-build-';
/** Milliseconds after which nobody builds in a folder any more whose process cannot be asked for. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/**
 * Where process numbers mean the same: a boot of a machine and, as containers may share a folder, a namespace of processes. Where that
 * cannot be told, this process alone.
 */
const machine = createHash('sha256').update(processSpace()).digest('hex').slice(0, 12);

/**
 * Does work in a folder of its own among the temporary files, and removes it; and those of builds whose process was killed. The name of a
 * folder tells which process works in it: `lookalike-build-<machine>-<pid>-<start>-<random>`.
 */
export async function inBuildFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const parent = tmpdir();
  await removeAbandoned(parent);
  const { pid } = process;
  const folder = await mkdtemp(join(parent, `${prefix}${machine}-${pid}-${startOf(pid) ?? 'unknown'}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names)
    if (name.startsWith(prefix) && (await isAbandoned(join(parent, name), name)))
      // Others may be removing it as well.
      await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
}

async function isAbandoned(path: string, name: string): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  if (info?.isDirectory() !== true || info.uid !== (process.getuid?.() ?? info.uid)) return false;
  const [where, pid, start] = name.slice(prefix.length).split('-');
  // A process of that number that began at another time is another one.
  if (where === machine) return startOf(Number(pid)) !== start;
  return Date.now() - (await lastChange(path)) > abandonedAfter;
}

/** Of a folder and what is in it, milliseconds since 1970. */
async function lastChange(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const times = await Promise.all(
    ['', ...names].map(
      async (name) => (await lstat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0,
    ),
  );
  return Math.max(...times);
}

function processSpace(): string {
  if (process.platform !== 'linux') return hostname();
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') + readlinkSync('/proc/self/ns/pid');
  } catch {
    return randomUUID();
  }
}

/**
 * When a process began, in clock ticks since the boot: with its number that names it, as numbers are used again. `unknown`: it lives, and
 * the system does not tell since when. Undefined: there is none.
 */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may hold anything.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return 'unknown';
  }
}
