// While `npm pack` runs, package.json is that of the package: with what `publishConfig` says, which npm does not apply itself as
// pnpm and Yarn do, and without what is of the repository only. Until it is taken back the repository runs what was built.

import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const manifest = path('./package.json');
/**
 * That of the repository meanwhile. A pack that was killed leaves it, and the next one takes it back before it builds, for which the
 * scripts stay in the manifest that is packed.
 */
const kept = path('./package.kept.json');

if (existsSync(kept)) await rename(kept, manifest);

if (process.argv[2] === 'put') {
  const text = await readFile(manifest, 'utf8');
  const { private: _private, devDependencies: _dev, publishConfig, ...rest } = JSON.parse(text);
  const packed = path('./package.packed.json');
  await writeFile(packed, `${JSON.stringify({ ...rest, ...publishConfig }, null, 2)}\n`);
  await writeFile(kept, text);
  // In one step: whatever imports the client at this moment finds the one or the other.
  await rename(packed, manifest);
}
