import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Describer } from './describers.ts';
import type { Pixels } from './perspective.ts';
import { readPixels, TRANSFORMATIONS_VERSION, type Transformation, transform } from './transformations.ts';

/** Names a file of the cache. */
export const hash = (parts: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);

/** Leaves a whole file or none, so that an interrupted run costs only the time. */
export function writeWhole(file: string, content: Uint8Array): void {
  writeFileSync(`${file}.part`, content);
  renameSync(`${file}.part`, file);
}

/** The transformed copies of pictures, as files in the cache: made once. */
export class Copies {
  readonly #folder: string;
  readonly #fillers: readonly string[];
  readonly #pixels = new Map<string, Pixels>();

  constructor(cache: string, fillers: readonly string[]) {
    this.#folder = cache;
    this.#fillers = fillers;
  }

  async of(transformation: Transformation, files: readonly string[]): Promise<string[]> {
    const key = hash([
      TRANSFORMATIONS_VERSION,
      transformation.name,
      this.#fillers.map((file) => basename(file)),
    ]);
    const folder = join(this.#folder, 'copies', key);
    mkdirSync(folder, { recursive: true });
    const copies: string[] = [];
    for (const file of files) {
      // The content's hash tells apart what other data sets call by the same name.
      const content = readFileSync(file);
      const copy = join(folder, createHash('sha256').update(content).digest('hex').slice(0, 32));
      if (!existsSync(copy)) {
        const fillers = transformation.name.startsWith('collage') ? await this.#fillerPixels() : [];
        writeWhole(copy, await transform(transformation, basename(file), await readPixels(content), fillers));
      }
      copies.push(copy);
    }
    return copies;
  }

  async #fillerPixels(): Promise<Pixels[]> {
    for (const file of this.#fillers) {
      if (!this.#pixels.has(file)) this.#pixels.set(file, await readPixels(readFileSync(file)));
    }
    return [...this.#pixels.values()];
  }
}

const BATCH = 64;

/** For every method of the describer, a descriptor a file; computed once, then read. An interrupted run goes on. */
export async function cachedDescriptors(
  describer: Describer,
  cache: string,
  files: readonly string[],
): Promise<Float32Array[][]> {
  const folder = join(cache, 'descriptors', describer.key);
  mkdirSync(folder, { recursive: true });
  const stored = (file: string, method: number) => join(folder, `${hash([file])}-${method}.f32`);
  const methods = describer.methods.map((_, method) => method);
  const missing = files.filter((file) => !methods.every((method) => existsSync(stored(file, method))));
  for (let start = 0; start < missing.length; start += BATCH) {
    const batch = missing.slice(start, start + BATCH);
    const described = await describer.describe(batch);
    described.forEach((descriptors, method) => {
      descriptors.forEach((descriptor, i) => {
        const bytes = new Uint8Array(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength);
        writeWhole(stored(batch[i] as string, method), bytes);
      });
    });
  }
  return methods.map((method) =>
    files.map((file) => {
      const content = readFileSync(stored(file, method));
      return new Float32Array(new Uint8Array(content).buffer);
    }),
  );
}
