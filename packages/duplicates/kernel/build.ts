// Compiles join.ts to src/join-kernel.ts, which holds the WebAssembly module as text so that every bundler takes it along.
import { writeFile } from 'node:fs/promises';
import { compileKernel } from './compile.ts';

const lines = Buffer.from(await compileKernel())
  .toString('base64')
  .replace(/.{100}/g, "$&' +\n  '");
await writeFile(
  new URL('../src/join-kernel.ts', import.meta.url),
  `// Made from kernel/join.ts by \`npm run build-kernel\`; a test compares the two.\nexport const joinKernel =\n  '${lines}';\n`,
);
