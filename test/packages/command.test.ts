import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand, runProcess, serverGreeting } from '../../packages/cli/src/test-command.ts';
import { type Packed, pack, repository } from './packed.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** The one that runs the tests, and the oldest supported where the environment names it. */
const runtimes = [process.execPath, ...(process.env.LOOKALIKE_OLDEST_NODE ?? '').split(':').filter(Boolean)];

let packed: Packed;
/** Where the package is installed; nothing of it points into the repository but sharp, which is not to be downloaded. */
let installed: string;
let album: string;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  packed = await pack('lookalike');
  const prefix = join(packed.folder, 'Programme für Bilder');
  installed = join(prefix, 'lib/node_modules/lookalike');
  await unpackTo(installed);
  await mkdir(join(installed, 'node_modules'));
  await symlink(join(repository, 'node_modules/sharp'), join(installed, 'node_modules/sharp'), 'junction');
  album = join(packed.folder, 'Фотографии 2024');
  await mkdir(album);
  for (const name of ['cat.jpg', 'coffee.jpg', 'rocket.jpg'])
    await copyFile(join(repository, 'test/pictures', name), join(album, name));
  await sharp(join(album, 'cat.jpg')).resize(200).webp().toFile(join(album, 'kätzchen.webp'));
  const home = join(packed.folder, 'home');
  await mkdir(home);
  // Node 22 warns of both together.
  env = {
    NO_COLOR: undefined,
    FORCE_COLOR: undefined,
    HOME: home,
    LOOKALIKE_CACHE_DIR: '',
    LOOKALIKE_CONFIG_DIR: '',
    LOOKALIKE_DATA_DIR: '',
  };
});
afterAll(() => packed?.remove());

async function unpackTo(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await promisify(execFile)('tar', ['-xzf', packed.tarball, '-C', folder, '--strip-components=1']);
}

const bin = () => join(installed, 'bin/lookalike.js');
const run = (node: string, ...args: string[]) =>
  runProcess(node, [bin(), ...args], { env, cwd: packed.folder });

/** `lookalike serve` of the package, until it is stopped. */
async function serve(node: string, data: string): Promise<{ url: string; stop(): Promise<number | null> }> {
  const child: ChildProcess = spawn(node, [bin(), 'serve', '--port', '0', '--data', data], {
    env: { ...process.env, ...env },
    cwd: packed.folder,
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { url } = await serverGreeting(child);
  return {
    url,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

describe('the package of the command', () => {
  it('has what it needs at run time, its papers, and nothing else', async () => {
    const kinds = new Set(
      packed.files.map((file) => file.replace(/^.*\/(?=[^/]+$)/, '').replace(/^.*(?=\.)/, '')),
    );
    expect([...kinds].sort()).toEqual([
      '.css',
      '.html',
      '.js',
      '.json',
      '.md',
      '.mjs',
      '.node',
      '.onnx',
      '.svg',
      '.txt',
      '.wasm',
      'LICENSE',
    ]);
    expect(packed.files).toEqual(expect.arrayContaining(['README.md', 'dist/THIRD-PARTY-LICENSES.txt']));
    expect(packed.files.filter((file) => /reference\.json|\.test\./.test(file))).toEqual([]);
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies)).toEqual(['sharp']);
    const licences = await readFile(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['hono', 'zod', 'apache-arrow', 'onnxruntime-web', 'preact', '@aws-sdk/client-s3'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  it('says which version it is, and the same of itself as in the repository', async () => {
    const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect((await run(process.execPath, '--version')).stdout).toBe(`${version}\n`);
    const here = await runCommand(['models'], { env });
    expect((await run(process.execPath, 'models')).stdout).toBe(here.stdout);
  });
});

describe.each(runtimes)('installed without a clone, run by %s', (node) => {
  it('starts without a word but its answer', async () => {
    expect(await run(node, '--version')).toMatchObject({ status: 0, stderr: '' });
    expect(await run(node, 'completion', 'bash')).toMatchObject({ status: 0, stderr: '' });
  });

  it('finds copies in a folder', async () => {
    const { status, stdout, stderr } = await run(
      node,
      'dedupe',
      album,
      '--html',
      join(packed.folder, 'report.html'),
    );
    expect(stderr).toMatch(/^(Report: .*\n)?4 files/);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('kätzchen.webp') });
    expect(await readFile(join(packed.folder, 'report.html'), 'utf8')).toContain('kätzchen.webp');
    expect((await run(node, 'compare', join(album, 'cat.jpg'), join(album, 'rocket.jpg'))).status).toBe(1);
  });

  it('follows an object through frames', async () => {
    const frames = join(packed.folder, 'frames');
    await mkdir(frames, { recursive: true });
    const object = await sharp(join(album, 'cat.jpg')).resize(60, 60).toBuffer();
    for (const n of [0, 1, 2])
      await sharp(join(album, 'coffee.jpg'))
        .resize(400, 300)
        .composite([{ input: object, left: 100 + 6 * n, top: 100 }])
        .jpeg()
        .toFile(join(frames, `${n}.jpg`));
    const { stdout, stderr } = await run(node, 'track', frames, '--box', '100,100,60,60', '--json');
    const last = JSON.parse(stdout || stderr).frames.at(-1);
    expect(Math.abs(last.box.x - 112)).toBeLessThan(5);
  });

  it('serves the API and the page, and the other commands find them', async () => {
    const server = await serve(node, join(packed.folder, `data ${runtimes.indexOf(node)}`));
    const page = await (await fetch(server.url)).text();
    const script = /<script[^>]* src="([^"]+)"/.exec(page)?.[1] ?? '';
    expect((await fetch(new URL(script, server.url))).status).toBe(200);
    expect(await (await fetch(`${server.url}/docs`)).text()).toContain('/v1/compare');
    const at = ['--collection', 'album', '--url', server.url];
    expect(await run(node, 'ingest', album, ...at)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^4 stored/),
    });
    const { stdout } = await run(node, 'query', join(album, 'kätzchen.webp'), ...at, '--json');
    expect(JSON.parse(stdout).matches.slice(0, 2)).toMatchObject([
      { id: 'kätzchen.webp' },
      { id: 'cat.jpg' },
    ]);
    expect(await run(node, 'doctor', server.url)).toMatchObject({ status: 0 });
    expect(await server.stop()).toBe(0);
  });
});

it('says what is missing where optional dependencies were left out, as the binaries of sharp are some', async () => {
  const modules = join(packed.folder, 'left out/node_modules');
  await unpackTo(join(modules, 'lookalike'));
  await cp(join(repository, 'node_modules/sharp'), join(modules, 'sharp'), { recursive: true });
  await mkdir(join(modules, '@img'));
  for (const name of ['detect-libc', 'semver', '@img/colour'])
    await symlink(join(repository, 'node_modules', name), join(modules, name), 'junction');
  const bare = join(modules, 'lookalike/bin/lookalike.js');
  expect(await runProcess(process.execPath, [bare, 'dedupe', album], { env })).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^lookalike: sharp, .*--include=optional\)\n$/),
  });
});

describe('where there is no library for graphs', () => {
  const items = 20_500;
  /** Of the repository, with a graph. */
  let data: string;
  const at = (folder: string) => ['--collection', 'points', '--data', folder];

  beforeAll(async () => {
    for (const name of await readdir(join(installed, 'dist/prebuilds'), { withFileTypes: true }))
      if (name.isDirectory())
        await rename(join(name.parentPath, name.name), join(packed.folder, `away-${name.name}`));
    data = join(packed.folder, 'with graphs');
    const lines = Array.from({ length: items }, (_, n) =>
      JSON.stringify({ id: `n${n}`, vector: Array.from({ length: 16 }, (_, k) => Math.sin(n * (k + 1.3))) }),
    );
    const header = JSON.stringify({
      lookalike: 1,
      collection: { name: 'points', dimension: 16, metric: 'l2' },
    });
    await writeFile(join(packed.folder, 'points.ndjson'), `${[header, ...lines].join('\n')}\n`);
    const from = join(packed.folder, 'points.ndjson');
    expect((await runCommand(['import', from, ...at(data)], { env })).stderr).toBe('');
    await runCommand(['compact', '--full', ...at(data)], { env });
    const files = await readdir(join(data, 'collections/points/segments'), { recursive: true });
    expect(files.some((file) => file.endsWith('graph.hnsw'))).toBe(true);
  });

  it('the commands work, over collections with graphs and without', async () => {
    const node = process.execPath;
    expect((await run(node, 'dedupe', album)).status).toBe(0);
    const own = join(packed.folder, 'without graphs');
    expect((await run(node, 'import', join(packed.folder, 'points.ndjson'), ...at(own))).stderr).toBe('');
    expect((await run(node, 'compact', '--full', ...at(own))).stdout).toMatch(/^20500 items in 1 segment,/);
    for (const folder of [own, data]) {
      const recall = await run(node, 'recall', ...at(folder), '--json');
      expect(JSON.parse(recall.stdout || recall.stderr)).toMatchObject({ recall: expect.closeTo(1, 1) });
      expect(await run(node, 'verify', ...at(folder))).toMatchObject({ status: 0, stderr: '' });
    }
  });
});
