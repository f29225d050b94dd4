import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
  // One process for all of them: starting Python takes longer than hashing a set.
  const child = spawn(python, [join(import.meta.dirname, 'pdq.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.unref();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    methods: [{ name: 'PDQ', note: 'PyPI pdqhash 0.2.8, 256 bits' }],
    key: 'pdq-0.2.8',
    async describe(files) {
      const hashes: Float32Array[] = [];
      for (const file of files) {
        child.stdin.write(`${file}\n`);
        const { value, done } = await lines.next();
        if (done) throw new Error(`PDQ ended at ${file}`);
        hashes.push(bitDescriptor([...value].map((digit) => digit === '1')));
      }
      return [hashes];
    },
    async close() {
      child.stdin.end();
    },
  };
}
