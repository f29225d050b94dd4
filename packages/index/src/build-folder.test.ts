import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inBuildFolder } from './build-folder.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'lookalike-build-folders-'));
  vi.stubEnv('TMPDIR', parent);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(parent, { recursive: true, force: true });
});

/** What the next build does with a folder of this name, last changed so many hours ago. */
async function isKept(name: string, hoursAgo = 0): Promise<boolean> {
  const path = join(parent, name);
  await mkdir(path, { recursive: true });
  const then = new Date(Date.now() - hoursAgo * 3_600_000);
  await utimes(path, then, then);
  await build();
  return existsSync(path);
}

const build = () => inBuildFolder(async (folder) => basename(folder));

/** A process in the middle of a build. */
async function buildingProcess() {
  const script = `
    import { inBuildFolder } from ${JSON.stringify(join(import.meta.dirname, 'build-folder.ts'))};
    await inBuildFolder((folder) => new Promise(() => { console.log(folder); setInterval(() => {}, 1000); }));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { folder: String(line).trim(), child };
}

test('a folder is there for the work and gone after it, done or failed', async () => {
  const name = await inBuildFolder(async (folder) => {
    await writeFile(join(folder, 'rows'), 'rows');
    return basename(folder);
  });
  expect(existsSync(join(parent, name))).toBe(false);
  let failed = '';
  const failing = inBuildFolder((folder) => {
    failed = folder;
    return Promise.reject(new Error('full'));
  });
  await expect(failing).rejects.toThrow('full');
  expect(existsSync(failed)).toBe(false);
});

test('the folder of a killed process goes with the next build, and not while the process lives', async () => {
  const { folder, child } = await buildingProcess();
  await writeFile(join(folder, 'rows'), 'rows');
  await build();
  expect(existsSync(folder)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await build();
  expect(existsSync(folder)).toBe(false);
});

test('builds of one process leave each other alone, however long they take', async () => {
  await inBuildFolder(async (folder) => expect(await isKept(basename(folder), 100)).toBe(true));
});

test.runIf(process.platform === 'linux')('a process number that is used again hides no folder', async () => {
  const [, , machine, pid, start] = (await build()).split('-');
  expect(await isKept(`lookalike-build-${machine}-${pid}-${start}-again`)).toBe(true);
  expect(await isKept(`lookalike-build-${machine}-${pid}-${Number(start) - 1}-before`)).toBe(false);
});

test('of processes that cannot be asked for, on another machine or of an earlier version, only day-old folders go', async () => {
  for (const name of ['lookalike-build-0123456789ab-1-1-abcdef', 'lookalike-build-abcdef']) {
    expect([name, await isKept(name, 23)]).toEqual([name, true]);
    expect([name, await isKept(name, 25)]).toEqual([name, false]);
    await mkdir(join(parent, name, '0'), { recursive: true });
    await writeFile(join(parent, name, '0', 'rows'), 'rows');
    expect([name, await isKept(name, 25)]).toEqual([name, true]);
    await rm(join(parent, name), { recursive: true });
  }
});

test('only folders of that name and of this user go', async () => {
  const name = 'lookalike-build-abcdef';
  const old = new Date(0);
  await writeFile(join(parent, name), 'a file');
  await utimes(join(parent, name), old, old);
  await mkdir(join(parent, 'target'));
  await symlink(join(parent, 'target'), join(parent, `${name}-link`));
  expect(await isKept('lookalike-other', 100)).toBe(true);
  expect(existsSync(join(parent, name))).toBe(true);
  expect(existsSync(join(parent, `${name}-link`))).toBe(true);
  if (process.getuid?.() !== 0) return;
  await mkdir(join(parent, `${name}-theirs`));
  await chown(join(parent, `${name}-theirs`), 12_345, 12_345);
  expect(await isKept(`${name}-theirs`, 100)).toBe(true);
});
