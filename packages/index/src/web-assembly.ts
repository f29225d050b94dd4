export interface Memory {
  readonly buffer: ArrayBuffer;
}

/** The part of the global `WebAssembly` that is used here; its types come with the DOM, which there is none of. */
export const webAssembly = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => object;
      Memory: new (descriptor: { initial: number }) => Memory;
      Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
    };
  }
).WebAssembly;
