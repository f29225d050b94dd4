// Bundles the command into dist/, for a package that stands alone: `npm pack -w lookalike`. In the repository the sources run as they are.

import { copyFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { build as buildPage } from 'vite';
import { bundleOptions } from './bundle-options.ts';
import { licencesOf } from './bundled-licences.ts';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const dist = path('./dist');
const lib = `${dist}/lib`;

await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: {
    lookalike: path('./src/lookalike.ts'),
    // Worker threads start from files that lie beside the code that starts them.
    'inference-worker': path('../encoder/src/inference-worker.ts'),
    'build-worker': path('../index/src/build-worker.ts'),
  },
  outdir: lib,
  ...bundleOptions,
  legalComments: 'none',
  metafile: true,
});

// Where the code looks for them, seen from dist/lib: beside it (models, the runtime's WebAssembly), or one folder up (addons and the page).
const runtime = fileURLToPath(new URL('.', import.meta.resolve('onnxruntime-web')));
for (const file of ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'])
  await copyFile(`${runtime}${file}`, `${lib}/${file}`);
for (const name of await readdir(path('../../models'))) {
  const files = await readdir(path(`../../models/${name}`));
  if (!files.includes('model.json')) continue;
  await mkdir(`${lib}/models/${name}`, { recursive: true });
  // The card tells data and licence; its plots, and what only tests compare with, stay here.
  for (const file of files.filter((file) => /^(model\.json|README\.md|.*\.onnx)$/.test(file)))
    await copyFile(path(`../../models/${name}/${file}`), `${lib}/models/${name}/${file}`);
}
await cp(path('../hnsw/prebuilds'), `${dist}/prebuilds`, { recursive: true });
await buildPage({
  root: path('../web'),
  logLevel: 'warn',
  build: { outDir: `${dist}/dist`, emptyOutDir: true },
});
await copyFile(path('../../LICENSE'), path('./LICENSE'));
// Of the page, Preact.
const bundled = [...Object.keys(metafile.inputs), fileURLToPath(import.meta.resolve('preact'))];
await writeFile(`${dist}/THIRD-PARTY-LICENSES.txt`, await licencesOf(bundled));
