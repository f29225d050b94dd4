import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { type Architecture, checkLambdaBinary } from './lambda-binary.ts';
import type { FunctionBundle } from './service-context.ts';

const repository = resolve(import.meta.dirname, '../..');
const cache = join(repository, 'node_modules/.cache/lookalike');

/** Where Node looks for what esbuild leaves out, and the model lies beside the code. */
const app = 'app';

/** Entries by the name of their file in `app/`; workers are opened by these names. */
const entries = {
  'api-event': 'functions/src/api-event.ts',
  'api-web': 'functions/src/api-web.ts',
  embed: 'functions/src/embed.ts',
  'embed-objects': 'functions/src/embed-objects.ts',
  'index-collections': 'functions/src/index-collections.ts',
  sweep: 'functions/src/sweep.ts',
  'inference-worker': 'packages/encoder/src/inference-worker.ts',
  'build-worker': 'packages/index/src/build-worker.ts',
};

/** Unzipped. Lambda allows 250 MB; what is not there need not be loaded at a cold start. */
export const BUNDLE_BUDGET = 70 * 1024 * 1024;

export interface BundleOptions {
  /** Folder of `models/`; default the encoder's default model. */
  model?: string;
  /** Default `arm64`, what is deployed; `x64` runs the same on a developer's machine. */
  architecture?: Architecture;
}

/**
 * The one package that every function runs from, for Linux on arm64, made on any host without Docker: the code by esbuild, sharp's
 * own arm64 binaries from npm, the prebuilt addon, the model, the page. Kept under the hash of its contents, so that only the first
 * call after a change takes long.
 *
 * @throws `Error` where a binary would not run on Lambda, or the budget is passed; the largest files are named.
 */
export async function bundleFunctions({
  model,
  architecture = 'arm64',
}: BundleOptions = {}): Promise<FunctionBundle> {
  const code = await bundleCode();
  const copied = await filesToCopy(model ?? (await defaultModel()), architecture);
  const sharp = await installSharp(architecture);
  const hash = createHash('sha256');
  for (const { path, contents } of code) hash.update(`${path}\n`).update(contents);
  for (const { from, to } of copied) hash.update(`${to}\n`).update(await readFile(from));
  hash.update(basename(dirname(sharp)));
  const name = hash.digest('hex');
  const directory = join(cache, `functions-${name.slice(0, 32)}`);
  if (!(await exists(directory))) {
    await mkdir(cache, { recursive: true });
    const draft = await mkdtemp(join(cache, 'draft-'));
    await chmod(draft, 0o755);
    for (const { path, contents } of code) await write(join(draft, app, path), contents);
    for (const { from, to } of copied) await cp(from, join(draft, to), { recursive: true });
    await cp(sharp, join(draft, 'node_modules'), { recursive: true });
    await write(join(draft, 'package.json'), '{ "type": "module" }\n');
    await checkBundle(draft, architecture);
    await publish(draft, directory);
  }
  return { directory, hash: name };
}

async function bundleCode(): Promise<{ path: string; contents: Uint8Array }[]> {
  const outdir = join(repository, 'node_modules/.cache/lookalike/out');
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: Object.entries(entries).map(([out, path]) => ({ out, in: join(repository, path) })),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    external: ['hnswlib-node'],
    plugins: [lazySharp, englishMessages],
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
    logLevel: 'error',
    // Packages in CommonJS ask for Node's own modules by `require`, which ESM has not.
    banner: {
      js: "import{createRequire as makeRequire}from'node:module';globalThis.require??=makeRequire(import.meta.url);",
    },
  });
  return outputFiles
    .map(({ path, contents }) => ({ path: relative(outdir, path), contents }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Loaded by the first picture: a query by a vector needs no libvips, and a cold start has no time for it. */
const lazySharp: Plugin = {
  name: 'lazy-sharp',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^sharp$/ }, () => ({ path: 'sharp', namespace: 'lazy' }));
    onLoad({ filter: /^sharp$/, namespace: 'lazy' }, () => ({
      contents: `import { createRequire } from 'node:module';
        const load = createRequire(import.meta.url);
        let loaded;
        const sharp = () => (loaded ??= load('sharp'));
        export default new Proxy(function () {}, {
          apply: (_, self, given) => Reflect.apply(sharp(), self, given),
          get: (_, name) => sharp()[name],
        });`,
    }));
  },
};

/** zod brings its messages in fifty languages, and would load all of them. */
const englishMessages: Plugin = {
  name: 'english-messages',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: `export { default as en } from './en.js';`,
    }));
  },
};

async function filesToCopy(
  model: string,
  architecture: Architecture,
): Promise<{ from: string; to: string }[]> {
  const folder = (from: string, to: string) => listFiles(join(repository, from), to);
  const page = await folder('packages/web/dist', 'dist');
  if (page.length === 0) throw new Error('the page is not built: run "npm run build" first');
  const runtime = join(repository, 'node_modules/onnxruntime-web/dist');
  return [
    ...page,
    ...['model.json', 'model.onnx'].map((file) => ({
      from: join(repository, 'models', model, file),
      to: `${app}/models/${model}/${file}`,
    })),
    ...['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'].map((file) => ({
      from: join(runtime, file),
      to: `${app}/${file}`,
    })),
    ...(await folder('packages/hnsw/prebuilds', 'prebuilds')).filter(
      ({ to }) => to.endsWith('manifest.json') || to.includes(`linux-${architecture}`),
    ),
  ];
}

async function listFiles(from: string, to: string): Promise<{ from: string; to: string }[]> {
  if (!(await exists(from))) return [];
  const found = await readdir(from, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ from: path, to: join(to, relative(from, path)) }));
}

async function defaultModel(): Promise<string> {
  const { DEFAULT_MODEL } = await import('@lookalike/encoder');
  return DEFAULT_MODEL;
}

/** `node_modules` with sharp for Linux on `architecture`, as its lock says; installed once a lock. */
async function installSharp(architecture: Architecture): Promise<string> {
  const recipe = join(repository, 'infra/sharp');
  const lock = await readFile(join(recipe, 'package-lock.json'));
  const home = join(
    cache,
    `sharp-${architecture}-${createHash('sha256').update(lock).digest('hex').slice(0, 32)}`,
  );
  if (!(await exists(home))) {
    await mkdir(cache, { recursive: true });
    const draft = await mkdtemp(join(cache, 'draft-'));
    for (const file of ['package.json', 'package-lock.json']) await cp(join(recipe, file), join(draft, file));
    const platform = ['--os=linux', `--cpu=${architecture}`, '--libc=glibc'];
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    await promisify(execFile)(npm(), ['ci', ...platform, ...quiet], {
      cwd: draft,
      shell: process.platform === 'win32',
    });
    await publish(draft, home);
  }
  return join(home, 'node_modules');
}

function npm(): string {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

async function checkBundle(directory: string, architecture: Architecture): Promise<void> {
  const files = await Promise.all(
    (await listFiles(directory, '')).map(async ({ from, to }) => {
      const contents = await readFile(from);
      if (/\.(node|so[.\d]*)$/.test(to)) checkLambdaBinary(to, contents, architecture);
      return { path: to, bytes: contents.length };
    }),
  );
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const largest = files
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 10)
    .map(({ path, bytes }) => `  ${megabytes(bytes).padStart(8)}  ${path}`);
  await write(
    join(directory, 'bundle.txt'),
    [`${megabytes(total)} in ${files.length} files; the largest:`, ...largest, ''].join('\n'),
  );
  if (total > BUNDLE_BUDGET) {
    throw new Error(
      `the bundle has ${megabytes(total)}, over its budget of ${megabytes(BUNDLE_BUDGET)}:\n${largest.join('\n')}`,
    );
  }
}

/** Whole or not at all, also where two processes make the same. */
async function publish(draft: string, home: string): Promise<void> {
  try {
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true });
    if (!(await exists(home))) throw error;
  }
}

async function write(path: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}

async function exists(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}
