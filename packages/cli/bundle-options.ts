import type { BuildOptions } from 'esbuild';

/** How the command is bundled: what is left out of it are the packages with binaries of their own. */
export const bundleOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external: ['sharp', 'hnswlib-node'],
  // Some dependencies are CommonJS and call `require` inside the bundle.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
} satisfies BuildOptions;
