import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 120_000 });

const repository = resolve(import.meta.dirname, '..');
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** The TypeScript of pages, a program each, in which later examples go on from earlier ones. */
async function programsOf(pages: readonly string[]): Promise<Map<string, string>> {
  const programs = new Map<string, string>();
  for (const page of pages) {
    const markdown = await readFile(join(repository, page), 'utf8');
    const blocks = [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
    if (blocks.length > 0) programs.set(`${basename(page)}.ts`, `${blocks.join('\n')}\nexport {};\n`);
  }
  return programs;
}

/** A project with these links in its `node_modules`. */
async function projectWith(links: readonly [path: string, target: string][], settings: object) {
  const folder = await mkdtemp(join(tmpdir(), 'lookalike-docs-types-'));
  folders.push(folder);
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ ...settings, include: ['*.ts'], exclude: [] }),
  );
  for (const [path, target] of links) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(join(repository, target), join(folder, path), 'junction');
  }
  return folder;
}

async function complaintsOf(folder: string, programs: Map<string, string>): Promise<string> {
  for (const [name, program] of programs) await writeFile(join(folder, name), program);
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  return stdout + stderr;
}

test('the TypeScript of the README and of docs/ passes the type check that the packages themselves pass', async () => {
  const pages = execFileSync('git', ['ls-files', 'README.md', 'docs/*.md'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const programs = await programsOf(pages.trim().split('\n'));
  expect([...programs.keys()]).toEqual(expect.arrayContaining(['README.md.ts', 'api.md.ts']));
  const folder = await projectWith([['node_modules', 'node_modules']], {
    extends: join(repository, 'tsconfig.json'),
  });
  expect(await complaintsOf(folder, programs)).toBe('');
});

test('the client runs and has its types in a project elsewhere that links it, with the options that the docs name', async () => {
  const docs = await readFile(join(repository, 'docs/api.md'), 'utf8');
  const [, options = ''] = /^```json\n(\{"compilerOptions".*?)^```$/ms.exec(docs) ?? [];
  const folder = await projectWith(
    [
      ['node_modules/@lookalike/client', 'packages/client'],
      ['node_modules/@types/node', 'node_modules/@types/node'],
    ],
    JSON.parse(options),
  );
  expect(await complaintsOf(folder, await programsOf(['README.md']))).toBe('');
  const program = "import { LookalikeClient } from '@lookalike/client'; console.log(typeof LookalikeClient)";
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toBe('function\n');
});
