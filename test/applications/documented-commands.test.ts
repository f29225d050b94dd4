import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runProcess } from '../../packages/cli/src/test-command.ts';
import { documentedProgram } from '../documented-program.ts';
import { type RunningServer, runningServer } from './running-server.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const repository = join(import.meta.dirname, '../..');

/** The commands of a page, in its order. */
async function commandsOf(page: string): Promise<string[]> {
  const markdown = await readFile(join(repository, page), 'utf8');
  return [...markdown.matchAll(/^```bash\n(.*?)^```$/gms)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '');
}

describe('the commands and programs of the pages on applications, as a newcomer pastes them', () => {
  let server: RunningServer;
  /** With files of the names that the pages use. */
  let folder: string;

  beforeAll(async () => {
    server = await runningServer();
    folder = join(server.root, 'newcomer');
    const make = async (path: string, content: Promise<Uint8Array>) => {
      await mkdir(join(folder, path, '..'), { recursive: true });
      await writeFile(join(folder, path), await content);
    };
    const portrait = (name: string) => readFile(join(repository, 'test/portraits', name));
    for (const path of ['a.png', 'people/anna/1.png', 'visitor.png']) await make(path, portrait('loose.jpg'));
    for (const path of ['b.png', 'people/anna/2.png']) await make(path, portrait('close.png'));
    await make('people/ben/portrait.png', readFile(join(repository, 'test/pictures/cat.jpg')));
    const alpha = 'M10 40 L25 8 L40 40 M16 28 L34 28';
    for (const path of ['examples/alpha.png', 'reference.png']) await make(path, drawn(alpha));
    for (const n of [1, 2, 3, 4, 5])
      await make(`enrolled/anna/${n}.png`, drawn(alpha.replace('25', String(25 + n))));
    for (const path of ['examples/beta.png', '17.png', 'questioned.png'])
      await make(path, drawn('M12 6 L12 44 M12 6 Q40 10 14 24 Q44 30 12 44'));
    await make('examples/gamma.png', drawn('M8 10 L42 10 M12 10 L12 44'));
    await make('unknown.png', drawn('M13 7 L11 43 M13 6 Q43 9 13 25 Q41 33 11 43'));
    const object = await sharp(join(repository, 'test/pictures/cat.jpg')).resize(67, 57).toBuffer();
    for (const n of [1, 2, 3])
      await make(
        `frames/0000${n}.jpg`,
        sharp(join(repository, 'test/pictures/coffee.jpg'))
          .resize(600, 400)
          .composite([{ input: object, left: 331 + 3 * n, top: 128 }])
          .jpeg()
          .toBuffer(),
      );
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
  });
  afterAll(() => server?.close());

  /** A character in black on white. */
  const drawn = (path: string): Promise<Uint8Array> =>
    sharp(
      Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><rect width="50" height="50" fill="white"/>` +
          `<path d="${path}" stroke="black" stroke-width="3" fill="none"/></svg>`,
      ),
    )
      .png()
      .toBuffer();

  const paste = (file: string, args: string[]) =>
    runProcess(file, args, {
      cwd: folder,
      env: {
        ...server.env,
        LOOKALIKE_URL: server.url,
        PATH: `${join(repository, 'node_modules/.bin')}:${process.env.PATH}`,
      },
    });
  const here = (code: string) => code.replaceAll('http://127.0.0.1:8787', server.url);

  /** A server runs, the frames are there, and own-model.test.ts makes a model of one's own. */
  const isOfTheTest = (line: string) => /^lookalike serve|ffmpeg|my-faces/.test(line);

  it.each([
    ['docs/faces.md', /^anna: similarity .*\n {2}.* anna {2}/m],
    ['docs/one-shot.md', /^beta: similarity/m],
    ['docs/signatures.md', /^(not )?anna: similarity .* \(its examples among each other: /m],
    ['docs/tracking.md', /^00003\.jpg\t/m],
  ])('%s', async (page, expected) => {
    const commands = (await commandsOf(page)).filter((line) => !isOfTheTest(line));
    expect(commands.length).toBeGreaterThan(2);
    let output = '';
    for (const line of commands) {
      const { status, stdout, stderr } = await paste('bash', ['-c', here(line)]);
      // 1 is the answer no.
      expect([0, 1], `${line}\n${stderr}`).toContain(status);
      if (line.startsWith('curl')) expect(JSON.parse(stdout), line).not.toHaveProperty('detail');
      output += stdout;
    }
    expect(output).toMatch(expected);
    const program = await documentedProgram(page);
    if (program === '') return;
    await writeFile(join(folder, 'program.mts'), here(program));
    expect(await paste('node', ['program.mts'])).toMatchObject({ status: 0, stderr: '' });
  });
});
