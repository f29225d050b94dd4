import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { madePage } from '../../../test/made-page.ts';
import { type DecodeTarget, decodePicture } from './decode.ts';
import { testPicture, testPictureNames } from './test-pictures.ts';

const target: DecodeTarget = { width: 160, height: 160, resize: { fit: 'squash', kernel: 'linear' } };
const factsOf = async (bytes: Uint8Array, size = target) => (await decodePicture(bytes, size)).facts;

function distance(a: string, b: string): number {
  let bits = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; bits > 0n; bits &= bits - 1n) count++;
  return count;
}

describe('the perceptual hash', () => {
  test('of easy and captioned copies differs in few bits, of mirrored ones and other pictures in many', async () => {
    const original = await factsOf(testPicture('coffee.jpg'));
    expect(original.perceptualHash).toMatch(/^[0-9a-f]{64}$/);
    const coffee = () => sharp(testPicture('coffee.jpg'));
    for (const copy of [
      coffee().resize(300).jpeg({ quality: 60 }),
      coffee().jpeg({ quality: 25 }),
      coffee().greyscale().png(),
      coffee().blur(3).webp(),
      coffee().modulate({ brightness: 1.2, saturation: 1.4 }).jpeg(),
    ]) {
      const { perceptualHash } = await factsOf(await copy.toBuffer());
      expect(distance(original.perceptualHash, perceptualHash)).toBeLessThanOrEqual(31);
    }
    const { width, height } = await coffee().metadata();
    const words = `<svg width="${width}" height="${height}"><g font-size="${height / 8}" fill="white" stroke="black"><text x="9" y="${height / 7}">ONE DOES NOT</text><text x="9" y="${height * 0.95}">SIMPLY STOP</text></g></svg>`;
    const captioned = await factsOf(
      await coffee()
        .composite([{ input: Buffer.from(words) }])
        .jpeg()
        .toBuffer(),
    );
    expect(distance(original.perceptualHash, captioned.perceptualHash)).toBeLessThanOrEqual(63);
    const mirrored = await factsOf(await coffee().flop().jpeg().toBuffer());
    expect(distance(original.perceptualHash, mirrored.perceptualHash)).toBeGreaterThan(80);
    for (const name of testPictureNames().filter((name) => name !== 'coffee.jpg')) {
      const other = await factsOf(testPicture(name));
      expect(distance(original.perceptualHash, other.perceptualHash)).toBeGreaterThan(80);
    }
  });

  test('is nearly the same whatever size a model reads, and sets as many bits as it clears', async () => {
    const { perceptualHash } = await factsOf(testPicture('astronaut.jpg'));
    for (const side of [32, 105, 224]) {
      const other = await factsOf(testPicture('astronaut.jpg'), { ...target, width: side, height: side });
      expect(distance(perceptualHash, other.perceptualHash)).toBeLessThanOrEqual(31);
    }
    expect(distance(perceptualHash, '0'.repeat(64))).toBe(128);
  });
});

test('a page is marks on an even ground, whatever its copy looks like; a photograph is none', async () => {
  for (const seed of [1, 2, 3]) {
    const page = await madePage(seed);
    for (const copy of [
      sharp(page),
      sharp(page).resize(300).jpeg({ quality: 40 }),
      sharp(page).negate({ alpha: false }),
      sharp(page).rotate(90).webp(),
    ])
      expect((await factsOf(await copy.toBuffer())).page).toBe(true);
  }
  for (const name of ['astronaut.jpg', 'cat.jpg', 'coffee.jpg', 'rocket.jpg', 'stairs.jpg', 'clock.png'])
    expect((await factsOf(testPicture(name))).page, name).toBe(false);
});

describe('sharpness', () => {
  test('falls with blur, and hardly changes with brightness, a caption or recompression', async () => {
    const { sharpness } = await factsOf(testPicture('astronaut.jpg'));
    const astronaut = () => sharp(testPicture('astronaut.jpg'));
    const { width, height } = await astronaut().metadata();
    const caption = `<svg width="${width}" height="${height}"><rect width="${width}" height="40" fill="white"/><text x="10" y="30" font-size="30">a caption</text></svg>`;
    const blurred = await factsOf(await astronaut().blur(3).png().toBuffer());
    expect(blurred.sharpness).toBeLessThan(0.6 * sharpness);
    for (const copy of [
      astronaut().linear(0.7).png(),
      astronaut()
        .composite([{ input: Buffer.from(caption) }])
        .png(),
      astronaut().jpeg({ quality: 50 }),
    ]) {
      const ratio = (await factsOf(await copy.toBuffer())).sharpness / sharpness;
      expect(ratio).toBeGreaterThan(0.7);
      expect(ratio).toBeLessThan(1.4);
    }
  });

  test('is 0 of a blank picture, and about 1 of noise', async () => {
    const blank = sharp({ create: { width: 160, height: 160, channels: 3, background: '#888' } }).png();
    expect((await factsOf(await blank.toBuffer())).sharpness).toBe(0);
    let state = 1;
    const noise = Buffer.from(
      Array.from({ length: 160 * 160 }, () => {
        state = (state * 48271) % 2147483647;
        return state & 255;
      }),
    );
    const png = sharp(noise, { raw: { width: 160, height: 160, channels: 1 } }).png();
    const { sharpness } = await factsOf(await png.toBuffer());
    expect(sharpness).toBeGreaterThan(0.8);
    expect(sharpness).toBeLessThan(1.2);
  });
});
