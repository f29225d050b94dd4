import { readFileSync } from 'node:fs';
import { type DecodeTarget, decodePicture } from '@lookalike/encoder';
import sharp from 'sharp';
import { bitDescriptor, type Describer } from './describers.ts';

const LOW = 8;

async function greyPixels(bytes: Buffer, width: number, height: number): Promise<Buffer> {
  const upright = sharp(bytes).autoOrient().flatten({ background: 'white' }).greyscale();
  return upright.resize(width, height, { fit: 'fill' }).toColourspace('b-w').raw().toBuffer();
}

/** What the product's default model reads. */
const TARGET: DecodeTarget = { width: 160, height: 160, resize: { fit: 'squash', kernel: 'linear' } };

/** The product's own perceptual hash (pHash), as bits. */
export async function pHash(bytes: Buffer): Promise<boolean[]> {
  const { facts } = await decodePicture(bytes, TARGET);
  return Array.from(facts.perceptualHash, (digit) => Number.parseInt(digit, 16)).flatMap((value) =>
    [8, 4, 2, 1].map((bit) => (value & bit) !== 0),
  );
}

/** dHash (Krawetz, "Kind of like that", 2013): whether grey falls from each of 9 x 8 pixels to its right one. 64 bits. */
export async function dHash(bytes: Buffer): Promise<boolean[]> {
  const pixels = await greyPixels(bytes, LOW + 1, LOW);
  return Array.from({ length: LOW * LOW }, (_, i) => {
    const at = Math.floor(i / LOW) * (LOW + 1) + (i % LOW);
    return (pixels[at] as number) > (pixels[at + 1] as number);
  });
}

export const perceptualHashes: Describer = {
  methods: [
    { name: 'pHash', note: '64 bits of a 32 x 32 DCT' },
    { name: 'dHash', note: '64 bits of 9 x 8 differences' },
  ],
  key: 'perceptual-hashes-3',
  async describe(files) {
    const descriptors: [Float32Array[], Float32Array[]] = [[], []];
    for (const file of files) {
      const bytes = readFileSync(file);
      descriptors[0].push(bitDescriptor(await pHash(bytes)));
      descriptors[1].push(bitDescriptor(await dHash(bytes)));
    }
    return descriptors;
  },
  close: async () => {},
};
