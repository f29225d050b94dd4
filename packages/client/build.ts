// Makes dist/ of a package that stands alone: `npm pack -w @lookalike/client`. In the repository the sources run as they are.

import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { wireDeclarations } from './wire-declarations.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

await rm(path('./dist'), { recursive: true, force: true });
await mkdir(path('./dist'));
await build({
  entryPoints: [path('./src/index.ts')],
  outfile: path('./dist/index.js'),
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  logLevel: 'warning',
});

await writeFile(path('./dist/wire-types.d.ts'), wireDeclarations());
// Against the types as written out and those of a browser, so that this also proves them to be enough.
execFileSync(
  process.execPath,
  [
    fileURLToPath(import.meta.resolve('typescript/package.json')).replace(/package\.json$/, 'bin/tsc'),
    '-p',
    path('./tsconfig.declarations.json'),
  ],
  { stdio: 'inherit' },
);
for (const name of await readdir(path('./dist'))) {
  if (!name.endsWith('.d.ts')) continue;
  const text = await readFile(path(`./dist/${name}`), 'utf8');
  await writeFile(
    path(`./dist/${name}`),
    text
      .replace(/'@lookalike\/api\/schemas'/g, "'./wire-types.js'")
      .replace(/'(\.\/[\w-]+)\.ts'/g, "'$1.js'"),
  );
}
await copyFile(path('../../LICENSE'), path('./LICENSE'));
