import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { BUNDLE_BUDGET, bundleFunctions } from '../../infra/src/bundle.ts';
import { checkLambdaBinary } from '../../infra/src/lambda-binary.ts';

const prebuilds = new URL('../../packages/hnsw/prebuilds/', import.meta.url);
const addon = (name: string) => readFileSync(new URL(`${name}/hnswlib.node`, prebuilds));

describe('the package that is deployed', () => {
  let directory: string;
  let files: string[];

  beforeAll(async () => {
    ({ directory } = await bundleFunctions());
    files = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }, 600_000);

  test('stays within its budget', () => {
    const total = files.reduce((sum, path) => sum + statSync(path).size, 0);
    expect(total).toBeLessThan(BUNDLE_BUDGET);
    // It would be no package without them.
    expect(total).toBeGreaterThan(BUNDLE_BUDGET / 4);
    expect(readFileSync(join(directory, 'bundle.txt'), 'utf8')).toMatch(/MB in \d+ files/);
  });

  test('has native code for arm64 only', () => {
    const native = files.filter((path) => /\.(node|so[.\d]*)$/.test(path));
    expect(native).toHaveLength(3);
    for (const path of native) checkLambdaBinary(path, readFileSync(path), 'arm64');
  });

  test('has every entry, the workers, the model and the page', () => {
    const entries = ['api-event', 'api-web', 'embed', 'embed-objects', 'index-collections', 'sweep'];
    const workers = ['inference-worker', 'build-worker'];
    for (const name of [...entries, ...workers])
      expect(files).toContain(join(directory, 'app', `${name}.js`));
    expect(files.filter((path) => path.endsWith('model.onnx'))).toHaveLength(1);
    expect(files).toContain(join(directory, 'dist/index.html'));
  });

  test('is made once for the same contents', async () => {
    const before = statSync(directory).mtimeMs;
    expect((await bundleFunctions()).directory).toBe(directory);
    expect(statSync(directory).mtimeMs).toBe(before);
  }, 600_000);

  test('takes sharp in the version that the encoder has', () => {
    const read = (path: string) =>
      JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
    expect(read('infra/sharp/package.json').dependencies.sharp).toBe(
      read('packages/encoder/package.json').dependencies.sharp,
    );
  });
});

describe('native code that would not run on Lambda is refused', () => {
  test('of another processor', () => {
    expect(() => checkLambdaBinary('x.node', addon('linux-x64'), 'arm64')).toThrow(
      'for ELF machine 62, not 183',
    );
  });

  test('with symbols that Lambda’s libraries have not', () => {
    const newer = Buffer.concat([addon('linux-arm64'), Buffer.from('\0GLIBC_2.36\0')]);
    expect(() => checkLambdaBinary('x.node', newer, 'arm64')).toThrow(
      'needs GLIBC_2.36; Lambda has GLIBC_2.34',
    );
  });

  test('that is no native code at all', () => {
    expect(() => checkLambdaBinary('x.node', new Uint8Array(100), 'arm64')).toThrow('no ELF file');
  });
});
