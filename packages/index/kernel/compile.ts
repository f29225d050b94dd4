import { readFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

/** The WebAssembly module of scan.ts. */
export async function compileKernel(): Promise<Uint8Array> {
  const source = await readFile(new URL('./scan.ts', import.meta.url), 'utf8');
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      'scan.ts',
      '--outFile',
      'scan.wasm',
      '-O3',
      '--runtime',
      'stub',
      '--noAssert',
      '--importMemory',
      '--enable',
      'simd',
    ],
    {
      readFile: (name) => (name === 'scan.ts' ? source : null),
      writeFile: (_name, contents) => {
        binary = typeof contents === 'string' ? Buffer.from(contents) : contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined)
    throw new Error(`scan.ts does not compile: ${stderr}`, { cause: error });
  return binary;
}
