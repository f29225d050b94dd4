// Bundles the command into dist/, for a package that stands alone: `npm run build -w lookalike`, then `npm pack -w lookalike`.
// In the repository the sources run as they are.

import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const dist = path('./dist');

await rm(dist, { recursive: true, force: true });
await build({
  entryPoints: {
    lookalike: path('./src/lookalike.ts'),
    // Worker threads start from files that lie beside the code that starts them.
    'inference-worker': path('../encoder/src/inference-worker.ts'),
    'build-worker': path('../index/src/build-worker.ts'),
  },
  outdir: `${dist}/lib`,
  ...bundleOptions,
  legalComments: 'linked',
});

// Where the code looks for them, seen from dist/lib: beside it (models), or one folder up (addons and the page).
await cp(path('../hnsw/prebuilds'), `${dist}/prebuilds`, { recursive: true });
if (existsSync(path('../web/dist'))) await cp(path('../web/dist'), `${dist}/dist`, { recursive: true });
await mkdir(`${dist}/lib/models`);
for (const name of await readdir(path('../../models')))
  if (existsSync(path(`../../models/${name}/model.json`)))
    await cp(path(`../../models/${name}`), `${dist}/lib/models/${name}`, { recursive: true });
