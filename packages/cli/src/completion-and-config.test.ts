import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completionScript } from './completion-script.ts';
import { settingsOf } from './config-file.ts';
import { createProgram } from './program.ts';
import { runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;

describe('completion', () => {
  const script = completionScript(createProgram(), 'bash');
  const completeIn =
    (cwd: string) =>
    (...words: string[]) => {
      const line = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _lookalike; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync('bash', ['-c', line], { encoding: 'utf8', cwd }).stdout.split('\n');
    };

  test.skipIf(!has('bash'))('bash completes commands, options and files', () => {
    const complete = completeIn(TEST_PICTURES);
    expect(complete('lookalike', 'de')).toEqual(['dedupe', '']);
    expect(complete('lookalike', 'dedupe', '--min')).toEqual(['--min-similarity', '--min-precision', '']);
    expect(complete('lookalike', 'compare', 'cof')).toEqual(['coffee.jpg', '']);
    expect(complete('lookalike', 'completion', 'z')).toEqual(['zsh', '']);
  });

  test.skipIf(!has('bash'))('bash completes names with spaces as one word each', async () => {
    const folder = await temporaryFolder();
    await folder.write('My Pictures/a.jpg', '');
    await folder.write('My Films/a.jpg', '');
    const found = completeIn(folder.root)('lookalike', 'dedupe', 'My');
    await folder.remove();
    expect(found.sort()).toEqual(['', 'My Films', 'My Pictures']);
  });

  test.each(['bash', 'zsh', 'fish'] as const)(
    'the script for %s names every command and is valid',
    (shell) => {
      const program = createProgram();
      const script = completionScript(program, shell);
      for (const command of program.commands) expect(script).toContain(command.name());
      if (has(shell)) {
        const { status, stderr } = spawnSync(shell, ['-n'], { input: script, encoding: 'utf8' });
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      }
    },
  );
});

describe('settings', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());
  const query = (env: Record<string, string>, ...args: string[]) =>
    runCommand(['query', `${TEST_PICTURES}/cat.jpg`, ...args], { env: { ...folder.env, ...env } });

  test('come from the command line, then the environment, then the config file', async () => {
    await folder.write('.config/config.json', '{"url": "http://127.0.0.1:1", "collection": "c"}');
    expect((await query({})).stderr).toContain('no answer from http://127.0.0.1:1');
    expect((await query({ LOOKALIKE_URL: 'http://127.0.0.1:2' })).stderr).toContain('127.0.0.1:2');
    const flag = await query({ LOOKALIKE_URL: 'http://127.0.0.1:2' }, '--url', 'http://127.0.0.1:3');
    expect(flag.stderr).toContain('127.0.0.1:3');
  });

  test('in the environment that are empty count as not set', async () => {
    await folder.write('.config/config.json', '{"url": "http://127.0.0.1:1", "collection": "c"}');
    const { status, stderr } = await query({
      LOOKALIKE_URL: '',
      LOOKALIKE_COLLECTION: '',
      LOOKALIKE_KEY: '',
    });
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('127.0.0.1:1') });
    await folder.write('.config/config.json', '{}');
    const none = await query({ LOOKALIKE_COLLECTION: '' });
    expect(none.stderr).toContain("required option '-c, --collection <name>' not specified");
  });

  test('of a picture that is a folder are refused in words', async () => {
    const { status, stderr } = await runCommand(['query', TEST_PICTURES, '-c', 'c'], { env: folder.env });
    expect(status).toBe(2);
    expect(stderr).toContain(`${TEST_PICTURES} is a folder, expected a picture`);
  });

  test.each([
    ['{"colection": "x"}', /no setting is called "colection"; there are .*collection/],
    ['{"port": 99999}', /port: Expected a whole number/],
    ['["x"]', /expected a JSON object/],
    ['{', /config\.json: .*JSON/],
  ])('a config file of %s is refused in words', async (text, message) => {
    await folder.write('.config/config.json', text);
    const { status, stderr } = await query({}, '-c', 'c');
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('are all in the table of the documentation, with their variable', () => {
    const docs = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8');
    for (const { option, variable } of settingsOf(createProgram()))
      expect(docs).toMatch(
        new RegExp(`^\\| \`${option.attributeName()}\` .*\`${option.long}.*\`${variable}\``, 'm'),
      );
  });

  test('every command and option is in the documentation', () => {
    const docs = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8');
    for (const command of createProgram().commands) {
      expect(docs).toContain(`lookalike ${command.name()}`);
      for (const option of command.options) expect(docs).toContain(option.long);
    }
  });
});
