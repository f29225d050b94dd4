import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bitDescriptor, type Describer } from './describers.ts';

const PACKAGES = ['pdqhash==0.2.8', 'numpy', 'pillow'];

function run(command: string, args: string[]): string | undefined {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status === 0) return undefined;
  return (result.error?.message ?? result.stderr.trim().split('\n').at(-1)) || `status ${result.status}`;
}

/**
 * PDQ (Facebook, 2019) through PyPI's pdqhash, in a virtual environment that is made once in the cache.
 * @returns or else why not.
 */
export function pdqDescriber(cache: string): Describer | { missing: string } {
  const python = join(cache, 'pdq-environment', 'bin', 'python');
  const ready = () => existsSync(python) && run(python, ['-c', 'import pdqhash, PIL']) === undefined;
  if (!ready()) {
    const missing =
      run('python3', ['-m', 'venv', join(cache, 'pdq-environment')]) ??
      run(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES]);
    if (missing !== undefined) return { missing };
  }
  return {
    methods: [{ name: 'PDQ', note: 'PyPI pdqhash 0.2.8, 256 bits' }],
    key: 'pdq-0.2.8',
    describe: async (files) => [(await hashes(python, files)).map((bits) => bitDescriptor(bits))],
    close: async () => {},
  };
}

async function hashes(python: string, files: readonly string[]): Promise<boolean[][]> {
  const child = spawn(python, [join(import.meta.dirname, 'pdq.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(files.map((file) => `${file}\n`).join(''));
  const output = (await child.stdout.setEncoding('utf8').toArray()).join('');
  const lines = output.trim().split('\n');
  if (lines.length !== files.length)
    throw new Error(`PDQ answered ${lines.length} hashes for ${files.length} pictures`);
  return lines.map((line) => [...line].map((digit) => digit === '1'));
}
