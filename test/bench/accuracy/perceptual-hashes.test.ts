import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { dHash, pHash } from './perceptual-hashes.ts';

const picture = (name: string) => readFileSync(join(import.meta.dirname, '../../pictures', name));
const distance = (a: boolean[], b: boolean[]) => a.filter((bit, i) => bit !== b[i]).length;

test.each([
  ['pHash', pHash],
  ['dHash', dHash],
])('%s: a recompressed copy is near, a mirrored copy and another picture are far', async (_, hash) => {
  const coffee = await hash(picture('coffee.jpg'));
  expect(coffee).toHaveLength(64);
  const copy = await sharp(picture('coffee.jpg')).resize(300).jpeg({ quality: 60 }).toBuffer();
  expect(distance(coffee, await hash(copy))).toBeLessThanOrEqual(4);
  for (const other of [
    await sharp(picture('coffee.jpg')).flop().toBuffer(),
    picture('cat.jpg'),
    picture('rocket.jpg'),
  ]) {
    expect(distance(coffee, await hash(other))).toBeGreaterThan(12);
  }
});

test('pHash sets as many bits as it clears', async () => {
  const bits = await pHash(picture('astronaut.jpg'));
  expect(bits.filter(Boolean)).toHaveLength(32);
});

test('dHash of a slope from bright to dark has every bit set', async () => {
  const slope = Buffer.from(Array.from({ length: 90 * 80 }, (_, i) => 255 - 2 * (i % 90)));
  const png = await sharp(slope, { raw: { width: 90, height: 80, channels: 1 } })
    .png()
    .toBuffer();
  expect(await dHash(png)).toEqual(Array(64).fill(true));
});
