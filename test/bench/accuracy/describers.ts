import { readFileSync } from 'node:fs';
import type { Encoder } from '@lookalike/encoder';

/**
 * Turns picture files into descriptors of one or several methods. A descriptor has length one, so that every method's
 * score is a dot product: bits of a hash are +-1/sqrt(n), and the product is 1 - 2 x Hamming distance / n, exactly.
 */
export interface Describer {
  methods: readonly { name: string; note: string }[];
  /** Changes whenever a descriptor might: names the cache. */
  key: string;
  /** For every method, a descriptor a file. */
  describe(files: readonly string[]): Promise<Float32Array[][]>;
  close(): Promise<void>;
}

/** `n` must be a power of four, so that products are exact. */
export function bitDescriptor(bits: readonly boolean[]): Float32Array {
  const value = 1 / Math.sqrt(bits.length);
  return Float32Array.from(bits, (bit) => (bit ? value : -value));
}

export function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

const BATCH = 32;

export async function embedFiles(encoder: Encoder, files: readonly string[]): Promise<Float32Array[]> {
  const embeddings: Float32Array[] = [];
  for (let start = 0; start < files.length; start += BATCH) {
    const batch = files.slice(start, start + BATCH);
    const results = await encoder.encode(batch.map((file) => readFileSync(file)));
    results.forEach((result, i) => {
      if (!result.ok) throw new Error(`${batch[i]}: ${result.error.message}`);
      embeddings.push(result.embedding);
    });
  }
  return embeddings;
}

export function encoderDescriber(encoder: Encoder, note: string): Describer {
  return {
    methods: [{ name: encoder.model.name, note }],
    key: encoder.hash,
    describe: async (files) => [await embedFiles(encoder, files)],
    close: () => encoder.close(),
  };
}
