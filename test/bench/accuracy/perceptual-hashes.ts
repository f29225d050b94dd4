import { readFileSync } from 'node:fs';
import { type DecodeTarget, decodePicture } from '@lookalike/encoder';
import sharp from 'sharp';
import { greyPixels } from '../../../packages/encoder/src/grey-pixels.ts';
import { cosineSigns } from '../../../packages/encoder/src/perceptual-hash.ts';
import { bitDescriptor, type Describer } from './describers.ts';

const LOW = 8;

async function greyScaled(bytes: Buffer, width: number, height: number): Promise<Buffer> {
  const upright = sharp(bytes).autoOrient().flatten({ background: 'white' }).greyscale();
  return upright.resize(width, height, { fit: 'fill' }).toColourspace('b-w').raw().toBuffer();
}

/** What the product's default model reads. */
export const MODEL_SIZE: DecodeTarget = {
  width: 160,
  height: 160,
  resize: { fit: 'squash', kernel: 'linear' },
};

const bitsOf = (hash: string) =>
  Array.from(hash, (digit) => Number.parseInt(digit, 16)).flatMap((value) =>
    [8, 4, 2, 1].map((bit) => (value & bit) !== 0),
  );

/**
 * The product's own perceptual hash, 256 bits, and pHash (Zauner, 2010), 64 bits, of the same pixels, so that only the hashes
 * differ.
 */
export async function cosineHashes(bytes: Buffer): Promise<{ product: boolean[]; pHash: boolean[] }> {
  const { facts, pixels } = await decodePicture(bytes, MODEL_SIZE);
  const grey = greyPixels(pixels, MODEL_SIZE.width, MODEL_SIZE.height);
  return { product: bitsOf(facts.perceptualHash), pHash: bitsOf(cosineSigns(grey, 32, LOW)) };
}

/** dHash (Krawetz, "Kind of like that", 2013): whether grey falls from each of 9 x 8 pixels to its right one. 64 bits. */
export async function dHash(bytes: Buffer): Promise<boolean[]> {
  const pixels = await greyScaled(bytes, LOW + 1, LOW);
  return Array.from({ length: LOW * LOW }, (_, i) => {
    const at = Math.floor(i / LOW) * (LOW + 1) + (i % LOW);
    return (pixels[at] as number) > (pixels[at + 1] as number);
  });
}

export const PRODUCT_HASH = 'lookalike hash';

export const perceptualHashes: Describer = {
  methods: [
    { name: PRODUCT_HASH, note: "the product's own hash alone: 256 bits of a 64 x 64 DCT" },
    { name: 'pHash', note: '64 bits of a 32 x 32 DCT' },
    { name: 'dHash', note: '64 bits of 9 x 8 differences' },
  ],
  key: 'perceptual-hashes-4',
  async describe(files) {
    const descriptors: [Float32Array[], Float32Array[], Float32Array[]] = [[], [], []];
    for (const file of files) {
      const bytes = readFileSync(file);
      const { product, pHash } = await cosineHashes(bytes);
      descriptors[0].push(bitDescriptor(product));
      descriptors[1].push(bitDescriptor(pHash));
      descriptors[2].push(bitDescriptor(await dHash(bytes)));
    }
    return descriptors;
  },
  close: async () => {},
};
