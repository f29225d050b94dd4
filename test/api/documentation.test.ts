import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, lazyEncoders, problemKinds, type RunningServer, serve } from '@lookalike/api';
import { openEncoder, resolveModel } from '@lookalike/encoder';
import { openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/api.md'), 'utf8');
const blocks = [...page.matchAll(/^```(ts|sh)\n(.*?)^```$/gms)].map(([, language, code]) => ({
  language,
  code: code as string,
}));

const folder = mkdtempSync(join(tmpdir(), 'lookalike-docs-'));
let server: RunningServer;
let close: () => Promise<void>;

/** The server a newcomer has: the real encoder, a data folder. */
beforeAll(async () => {
  const store = await openFolderStore(folder);
  const engine = openEngine({ store, commitWindow: 5 });
  const encoder = await openEncoder(await resolveModel(), { threads: 1 });
  const { name } = encoder.model;
  const encoders = lazyEncoders({ default: name, names: [name], open: () => Promise.resolve(encoder) });
  server = await serve(createApp({ engine, objects: store, encoders }), { port: 0 });
  close = async () => {
    await server.close(0);
    await engine.close();
    await encoders.close();
  };
});

afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

function run(
  command: string,
  args: string[],
  input: string,
): Promise<{ code: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root });
    const text = { output: '', errors: '' };
    child.stdout.on('data', (part) => {
      text.output += part;
    });
    child.stderr.on('data', (part) => {
      text.errors += part;
    });
    child.on('error', reject).on('close', (code) => resolve({ code, ...text }));
    child.stdin.end(input);
  });
}

const here = (code: string) => code.replaceAll('http://127.0.0.1:8787', server.url);

// A process of its own that loads a model.
describe('the examples of docs/api.md', { timeout: 300_000 }, () => {
  it('do what their comments say', async () => {
    // All in one program: a shell example becomes a call at its place.
    const program = blocks.map(({ language, code }) =>
      language === 'ts'
        ? code
        : `runShell(${JSON.stringify(here(code.replaceAll('curl ', 'curl -sS --fail-with-body ')))});\n`,
    );
    const source = [
      `import { spawn as spawnShell } from 'node:child_process';`,
      `const runShell = (script) => new Promise((resolve) => spawnShell('sh', ['-e'], { stdio: ['pipe', 'ignore', 'inherit'] })`,
      `  .on('close', (code) => { if (code !== 0) console.log('shell failed', code, script); resolve(); }).stdin.end(script));`,
      ...program.map((part) => here(part).replace(/^runShell/, 'await runShell')),
    ].join('\n');
    const { code, output, errors } = await run(process.execPath, ['--input-type=module', '-'], source);
    const expected = [...page.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(expected.length).toBeGreaterThan(25);
    expect({ errors, lines: output.trimEnd().split('\n') }).toEqual({ errors: '', lines: expected });
    expect(code).toBe(0);
  });
});

describe('docs/api.md', () => {
  it('lists every problem', () => {
    const rows = Object.entries(problemKinds).map(
      ([code, { status, title }]) => `| ${status} | \`${code}\` | ${title} |`,
    );
    const table = ['| status | code | what it says |', '| --- | --- | --- |', ...rows].join('\n');
    const written = /<!-- problems -->\n(.*?)\n?<!-- \/problems -->/s.exec(page)?.[1];
    expect(written?.trim(), 'replace the table between the problems marks with what the test expects').toBe(
      table,
    );
  });
});
