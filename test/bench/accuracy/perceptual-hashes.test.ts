import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cosineHashes, dHash } from './perceptual-hashes.ts';

const picture = (name: string) => readFileSync(join(import.meta.dirname, '../../pictures', name));
const distance = (a: boolean[], b: boolean[]) => a.filter((bit, i) => bit !== b[i]).length;

test.each([
  ['the product’s hash', async (bytes: Buffer) => (await cosineHashes(bytes)).product, 256],
  ['pHash', async (bytes: Buffer) => (await cosineHashes(bytes)).pHash, 64],
  ['dHash', dHash, 64],
])('%s: a recompressed copy is near, a mirrored copy and another picture are far', async (_, hash, bits) => {
  const coffee = await hash(picture('coffee.jpg'));
  expect(coffee).toHaveLength(bits);
  const copy = await sharp(picture('coffee.jpg')).resize(300).jpeg({ quality: 60 }).toBuffer();
  expect(distance(coffee, await hash(copy))).toBeLessThanOrEqual(bits / 16);
  for (const other of [
    await sharp(picture('coffee.jpg')).flop().toBuffer(),
    picture('cat.jpg'),
    picture('rocket.jpg'),
  ]) {
    expect(distance(coffee, await hash(other))).toBeGreaterThan((12 * bits) / 64);
  }
});

test('a cosine hash sets as many bits as it clears', async () => {
  const { product, pHash } = await cosineHashes(picture('astronaut.jpg'));
  expect(pHash.filter(Boolean)).toHaveLength(32);
  expect(product.filter(Boolean)).toHaveLength(128);
});

test('dHash of a slope from bright to dark has every bit set', async () => {
  const slope = Buffer.from(Array.from({ length: 90 * 80 }, (_, i) => 255 - 2 * (i % 90)));
  const png = await sharp(slope, { raw: { width: 90, height: 80, channels: 1 } })
    .png()
    .toBuffer();
  expect(await dHash(png)).toEqual(Array(64).fill(true));
});
