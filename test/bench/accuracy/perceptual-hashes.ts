import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { bitDescriptor, type Describer } from './describers.ts';

const SIDE = 32;
const LOW = 8;

async function greyPixels(bytes: Buffer, width: number, height: number): Promise<Buffer> {
  const upright = sharp(bytes).autoOrient().flatten({ background: 'white' }).greyscale();
  return upright.resize(width, height, { fit: 'fill' }).toColourspace('b-w').raw().toBuffer();
}

/** cos((2x + 1) u pi / 2n) of the frequencies u = 1 to 8, [frequency][place]. */
const COSINES = Array.from({ length: LOW }, (_, u) =>
  Array.from({ length: SIDE }, (_, x) => Math.cos(((2 * x + 1) * (u + 1) * Math.PI) / (2 * SIDE))),
);

/**
 * pHash (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010): the 8 x 8 lowest
 * frequencies but the constant ones of the discrete cosine transform of 32 x 32 grey pixels, each against their median. 64 bits.
 */
export async function pHash(bytes: Buffer): Promise<boolean[]> {
  const pixels = await greyPixels(bytes, SIDE, SIDE);
  const across = Array.from({ length: SIDE }, (_, y) =>
    COSINES.map((line) =>
      line.reduce((sum, cosine, x) => sum + cosine * (pixels[y * SIDE + x] as number), 0),
    ),
  );
  const low = COSINES.flatMap((line) =>
    COSINES.map((_, u) =>
      line.reduce((sum, cosine, y) => sum + cosine * ((across[y] as number[])[u] as number), 0),
    ),
  );
  const sorted = low.toSorted((a, b) => a - b);
  const median = ((sorted[31] as number) + (sorted[32] as number)) / 2;
  return low.map((value) => value > median);
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
  key: 'perceptual-hashes-2',
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
