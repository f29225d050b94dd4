import asc from 'assemblyscript/asc';
import { webAssembly } from '../../../packages/index/src/web-assembly.ts';

/** Adds up all of memory from `start` to `end`, sixty-four bytes at a time: nothing but loads and additions. */
const source = `
export function sum(start: usize, end: usize): i32 {
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  for (let at = start; at < end; at += 64) {
    a = i32x4.add(a, v128.load(at));
    b = i32x4.add(b, v128.load(at, 16));
    c = i32x4.add(c, v128.load(at, 32));
    d = i32x4.add(d, v128.load(at, 48));
  }
  const all = i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
  return i32x4.extract_lane(all, 0) + i32x4.extract_lane(all, 1) + i32x4.extract_lane(all, 2) + i32x4.extract_lane(all, 3);
}`;

/** A function that reads `bytes` of memory once, as the flat scan's kernel would at best. */
export async function memoryReader(bytes: number): Promise<() => number> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ['sum.ts', '--outFile', 'sum.wasm', '-O3', '--runtime', 'stub', '--importMemory', '--enable', 'simd'],
    {
      readFile: (name) => (name === 'sum.ts' ? source : null),
      writeFile: (_name, contents) => {
        binary = typeof contents === 'string' ? Buffer.from(contents) : contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined)
    throw new Error(`does not compile: ${stderr}`, { cause: error });
  const memory = new webAssembly.Memory({ initial: Math.ceil(bytes / 65_536) + 2 });
  new Uint8Array(memory.buffer).fill(7);
  const { exports } = new webAssembly.Instance(new webAssembly.Module(binary), { env: { memory } });
  const end = 65_536 + Math.floor(bytes / 64) * 64;
  const sum = exports.sum as (start: number, end: number) => number;
  return () => sum(65_536, end);
}
