import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentedProgram } from './documented-program.ts';

const repository = resolve(import.meta.dirname, '..');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-docs-types-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the TypeScript of the documentation passes the type check that the packages themselves pass', {
  timeout: 120_000,
}, async () => {
  const pages = execFileSync('git', ['ls-files', 'README.md', 'docs/*.md', 'packages/*/README.md'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const checked: string[] = [];
  for (const page of pages.trim().split('\n')) {
    const program = await documentedProgram(page);
    if (program === '') continue;
    checked.push(page);
    await writeFile(join(folder, `${page.replaceAll('/', '-')}.ts`), `${program}\nexport {};\n`);
  }
  expect(checked).toEqual(expect.arrayContaining(['README.md', 'docs/api.md', 'packages/client/README.md']));
  const settings = { extends: join(repository, 'tsconfig.json'), include: ['*.ts'], exclude: [] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  expect(stdout + stderr).toBe('');
});
