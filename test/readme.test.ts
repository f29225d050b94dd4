import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..');

/** The lines of the README's shell blocks under a heading, comments cut off. */
function shellLines(readme: string, heading: string): string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^```bash\n([\s\S]*?)^```$/gm)]
    .flatMap(([, block]) => (block as string).split('\n'))
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '');
}

describe("the README's lines, as a newcomer pastes them", async () => {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const lines = shellLines(readme, 'Ten minutes');
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
    await copyFile(join(album, 'coffee.jpg'), join(home, 'a.jpg'));
    await copyFile(join(album, 'rocket.jpg'), join(home, 'b.jpg'));

    server = spawn('lookalike', ['serve', '--port', '0'], { cwd: repository, env: environment() });
    address = await new Promise<string>((resolve, reject) => {
      let output = '';
      server.stdout?.on('data', (text) => {
        output += text;
        const found = /http:\/\/[\d.]+:\d+/.exec(output);
        if (found && output.includes('Ctrl-C')) resolve(found[0]);
      });
      server.once('close', () => reject(new Error(`the server ended: ${output}`)));
    });
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

  async function paste(line: string): Promise<{ status: number; stdout: string; stderr: string }> {
    const command = line
      .replace(/^npx lookalike/, 'lookalike')
      .replaceAll('http://127.0.0.1:8787', address)
      .replaceAll(/\b([ab])\.jpg\b/g, join(home, '$1.jpg'))
      .replaceAll('report.html', join(home, 'report.html'));
    try {
      const { stdout, stderr } = await run('bash', ['-c', command], { cwd: repository, env: environment() });
      return { status: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, stdout, stderr };
    }
  }

  test('there are lines to paste', () => {
    expect(lines.length).toBeGreaterThan(6);
  });

  test.each(lines)('%s', async (line) => {
    const { status, stdout, stderr } = await paste(line);
    // 1 is the answer "they differ", not a failure.
    expect(status, stderr).toBe(line.includes(' compare ') ? 1 : 0);
    if (line.startsWith('curl')) expect(JSON.parse(stdout).status ?? 'no problem').not.toBeTypeOf('number');
    if (line.includes('dedupe')) expect(stdout).toContain('cat-small.webp');
    if (line.includes('query')) expect(stdout).toContain('coffee');
    if (line.includes('--html'))
      expect(await readFile(join(home, 'report.html'), 'utf8')).toContain('cat-small.webp');
  });
});
