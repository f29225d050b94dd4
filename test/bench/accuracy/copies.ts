import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Describer } from './describers.ts';
import type { Pixels } from './perspective.ts';
import { readPixels, TRANSFORMATIONS_VERSION, type Transformation, transform } from './transformations.ts';

const hash = (parts: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);

/** Leaves a whole file or none, so that an interrupted run costs only the time. */
function writeWhole(file: string, content: Uint8Array): void {
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

/** For every method of the describer, the files' descriptors, one after the other; computed once, then read. */
export async function cachedDescriptors(
  describer: Describer,
  cache: string,
  files: readonly string[],
): Promise<Float32Array[][]> {
  const folder = join(cache, 'descriptors', describer.key);
  mkdirSync(folder, { recursive: true });
  const name = hash(files);
  const stored = (method: number) => join(folder, `${name}-${method}.f32`);
  const methods = describer.methods.map((_, method) => method);
  if (!methods.every((method) => existsSync(stored(method)))) {
    const described = await describer.describe(files);
    described.forEach((descriptors, method) => {
      writeWhole(
        stored(method),
        Buffer.concat(descriptors.map((d) => new Uint8Array(d.buffer, d.byteOffset, d.byteLength))),
      );
    });
  }
  return methods.map((method) => {
    const content = readFileSync(stored(method));
    const all = new Float32Array(
      content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength),
    );
    const dimension = all.length / files.length;
    return files.map((_, i) => all.subarray(i * dimension, (i + 1) * dimension));
  });
}
