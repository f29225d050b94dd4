/**
 * Compiles the addon of hnswlib-node for every platform we ship, straight from its published sources: one compiler
 * call each, no node-gyp and no Python. The result is the same bytes from the same compiler.
 *
 *   npm run prebuild-addon -w @lookalike/hnsw            (needs g++ and, for arm64, g++-aarch64-linux-gnu)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** AWS Lambda's Amazon Linux 2023; every distribution of the last years has more. */
const newestAllowed = { GLIBC: [2, 34], GLIBCXX: [3, 4, 29] };

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const sources = dirname(require.resolve('hnswlib-node/package.json'));
const includes = [
  dirname(require.resolve('node-addon-api/package.json')),
  join(dirname(require.resolve('node-api-headers/package.json')), 'include'),
];

// No contraction to fused multiply-add: SSE and NEON builds then give the same distances to the last bit.
// libstdc++ stays dynamic: a static one needs a newer glibc than Lambda has.
const common = [
  '-std=c++17',
  '-O3',
  '-ffp-contract=off',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-pthread',
  '-DNDEBUG',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_GYP_MODULE_NAME=addon',
  '-DBUILDING_NODE_EXTENSION',
  '-s',
  '-Wl,--build-id=none',
  `-ffile-prefix-map=${sources}=hnswlib-node`,
];

const targets = [
  { name: 'linux-x64', compiler: 'g++', flags: [] },
  { name: 'linux-x64-v3', compiler: 'g++', flags: ['-march=x86-64-v3'] },
  {
    name: 'linux-arm64',
    compiler: 'aarch64-linux-gnu-g++',
    // Graviton2 and later.
    flags: [
      '-march=armv8.2-a+fp16+dotprod',
      '-mtune=neoverse-n1',
      '-D__SSE__',
      `-I${join(here, 'sse-on-neon')}`,
    ],
  },
];

function isNewer(version: string, limit: number[]): boolean {
  const parts = version.split('.').map(Number);
  for (let i = 0; i < Math.max(parts.length, limit.length); i++) {
    const difference = (parts[i] ?? 0) - (limit[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** The symbol versions an ELF file asks for, read from its string table. */
function checkSymbolVersions(name: string, file: Buffer): void {
  for (const [, library, version] of file
    .toString('latin1')
    .matchAll(/\b(GLIBC|GLIBCXX)_([0-9]+(?:\.[0-9]+)+)/g)) {
    const limit = newestAllowed[library as keyof typeof newestAllowed];
    if (isNewer(version as string, limit))
      throw new Error(`${name} needs ${library}_${version}, newer than ${limit.join('.')}`);
  }
}

const manifest: Record<string, { sha256: string; bytes: number; flags: string[]; compiler: string }> = {};
for (const { name, compiler, flags } of targets) {
  const folder = join(here, '..', 'prebuilds', name);
  const output = join(folder, 'hnswlib.node');
  mkdirSync(folder, { recursive: true });
  const source = join(sources, 'src', 'addon.cc');
  execFileSync(
    compiler,
    [...common, ...flags, ...includes.map((folder) => `-I${folder}`), source, '-o', output],
    {
      stdio: 'inherit',
    },
  );
  const file = readFileSync(output);
  checkSymbolVersions(name, file);
  const version = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0] as string;
  manifest[name] = {
    sha256: createHash('sha256').update(file).digest('hex'),
    bytes: file.length,
    flags: flags.filter((flag) => !flag.startsWith('-I')),
    compiler: version,
  };
  console.log(`${name}: ${file.length} bytes`);
}
writeFileSync(join(here, '..', 'prebuilds', 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
