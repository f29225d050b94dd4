import { joinKernel } from './join-kernel.ts';

/** The part of the global `WebAssembly` that is used here; its types come with the DOM, which there is none of. */
const wasm = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object;
      Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer };
      Instance: new (module: object, imports: object) => { exports: object };
    };
  }
).WebAssembly;

const module = new wasm.Module(Buffer.from(joinKernel, 'base64'));
const PAGE_BYTES = 65_536;

/** What `kernel/join.ts` exports; addresses are bytes from the start of the memory. */
export interface JoinModule {
  join(...parameters: number[]): number;
  joinHashes(...parameters: number[]): number;
}

/** An instance with `bytes` of memory of its own, all zeros. */
export function openJoinModule(bytes: number): { buffer: ArrayBuffer; functions: JoinModule } {
  const memory = new wasm.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
  const { exports } = new wasm.Instance(module, { env: { memory } });
  return { buffer: memory.buffer, functions: exports as JoinModule };
}
