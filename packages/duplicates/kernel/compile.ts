import { readFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

/** The WebAssembly module of join.ts. */
export async function compileKernel(): Promise<Uint8Array> {
  const source = await readFile(new URL('./join.ts', import.meta.url), 'utf8');
  const options = ['-O3', '--runtime', 'stub', '--noAssert', '--importMemory', '--enable', 'simd'];
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['join.ts', '--outFile', 'join.wasm', ...options], {
    readFile: (name) => (name === 'join.ts' ? source : null),
    writeFile: (_name, contents) => {
      binary = typeof contents === 'string' ? Buffer.from(contents) : contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined)
    throw new Error(`join.ts does not compile: ${stderr}`, { cause: error });
  return binary;
}
