import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverGreeting } from '../packages/cli/src/test-command.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..');

/** What the README has to run under a heading, in its order: each line of a shell block, each program whole. */
function partsToRun(readme: string, heading: string): { name: string; language: string; code: string }[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^```(bash|ts)\n([\s\S]*?)^```$/gm)].flatMap(([, language = '', block = '']) =>
    language === 'ts'
      ? [{ name: 'the program', language, code: block }]
      : block
          .split('\n')
          .map((line) => line.replace(/\s+# .*$/, '').trim())
          .filter((line) => line !== '')
          .map((line) => ({ name: line, language, code: line })),
  );
}

describe("the README's lines, as a newcomer pastes them", async () => {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const parts = partsToRun(readme, 'Ten minutes');
  let home: string;
  let server: ChildProcess;
  let address: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'lookalike-readme-'));
    const album = join(home, 'Pictures');
    await mkdir(album);
    for (const name of ['cat.jpg', 'coffee.jpg', 'rocket.jpg'])
      await copyFile(join(repository, 'test/pictures', name), join(album, name));
    await sharp(join(album, 'cat.jpg')).resize(200).webp().toFile(join(album, 'cat-small.webp'));

    server = spawn('lookalike', ['serve', '--port', '0'], { cwd: repository, env: environment() });
    ({ url: address } = await serverGreeting(server));
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGTERM');
    await ended;
    await rm(home, { recursive: true, force: true });
  });

  function environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${join(repository, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: home,
      LOOKALIKE_CACHE_DIR: join(home, '.cache'),
      LOOKALIKE_CONFIG_DIR: join(home, '.config'),
      LOOKALIKE_DATA_DIR: join(home, 'data'),
      LOOKALIKE_URL: address,
    };
  }

  /** The server of the test listens on a port of its own, and the report belongs in the test's folder. */
  const adapted = (code: string) =>
    code
      .replace(/^npx lookalike/, 'lookalike')
      .replaceAll('http://127.0.0.1:8787', address)
      .replaceAll('report.html', join(home, 'report.html'));

  async function paste(command: string, args: string[]) {
    try {
      const { stdout, stderr } = await run(command, args, { cwd: repository, env: environment() });
      return { status: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, stdout, stderr };
    }
  }

  test('there are lines to paste, and a program', () => {
    expect(parts.filter(({ language }) => language === 'bash').length).toBeGreaterThan(6);
    expect(parts.filter(({ language }) => language === 'ts')).toHaveLength(1);
  });

  test.each(parts)('$name', async ({ language, code }) => {
    const { status, stdout, stderr } =
      language === 'ts'
        ? await paste('node', ['--input-type=module-typescript', '--eval', adapted(code)])
        : await paste('bash', ['-c', adapted(code)]);
    // 1 is the answer "they differ", not a failure.
    expect(status, stderr).toBe(code.includes(' compare ') ? 1 : 0);
    if (code.startsWith('curl')) expect(JSON.parse(stdout).status ?? 'no problem').not.toBeTypeOf('number');
    if (code.includes('dedupe')) expect(stdout).toContain('cat-small.webp');
    if (code.includes('query')) expect(stdout).toContain('coffee');
    if (code.includes('--html'))
      expect(await readFile(join(home, 'report.html'), 'utf8')).toContain('cat-small.webp');
  });
});
