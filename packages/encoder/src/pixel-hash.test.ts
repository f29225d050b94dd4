import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePicture, pixelHash, pixelHashAndThumbnail, thumbnail } from './decode.ts';
import { blackPng, pixelDifference, TARGET, testPicture } from './test-pictures.ts';

const CAT = testPicture('cat.jpg');
const cat = () => sharp(CAT);
const decoded = (bytes: Uint8Array) => decodePicture(bytes, TARGET);

describe('pixel hash', () => {
  test('same pixels in other containers and with other metadata', async () => {
    const png = await cat().png().toBuffer();
    const hash = await pixelHash(png);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await pixelHash(CAT)).toBe(hash);
    expect(await pixelHash(await cat().tiff({ compression: 'lzw' }).toBuffer())).toBe(hash);
    expect(await pixelHash(await cat().webp({ lossless: true }).toBuffer())).toBe(hash);
    expect(
      await pixelHash(
        await sharp(png)
          .withExif({ IFD0: { Artist: 'nobody' } })
          .png()
          .toBuffer(),
      ),
    ).toBe(hash);
    const turned = await cat().rotate(90).png().toBuffer();
    expect(await pixelHash(await sharp(turned).withMetadata({ orientation: 8 }).png().toBuffer())).toBe(hash);
  });

  test('differs for one other pixel, and for the same bytes in another shape', async () => {
    const one = await cat()
      .composite([
        { input: { create: { width: 1, height: 1, channels: 3, background: '#00ff00' } }, left: 7, top: 9 },
      ])
      .png()
      .toBuffer();
    expect(await pixelHash(one)).not.toBe(await pixelHash(CAT));
    expect(await pixelHash(blackPng(64, 32))).not.toBe(await pixelHash(blackPng(32, 64)));
  });

  test('stays what it was for opaque pictures of 8 bits', async () => {
    expect(await pixelHash(blackPng(2, 1))).toBe(
      createHash('sha256').update('2 x 1 sRGB\n').update(new Uint8Array(6)).digest('hex'),
    );
    const opaque = await cat().ensureAlpha().png().toBuffer();
    expect(await pixelHash(opaque)).toBe(await pixelHash(CAT));
  });

  test('differs for shapes in white on a transparent ground, which look the same on white', async () => {
    const shape = (svg: string) =>
      sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">${svg}</svg>`));
    const star = shape('<polygon points="32,2 62,62 2,62" fill="white"/>');
    const circle = shape('<circle cx="32" cy="32" r="30" fill="white"/>');
    const flat = star.clone().flatten({ background: '#fff' });
    const hashes = [];
    for (const picture of [star, circle, flat]) {
      const bytes = await picture.clone().png().toBuffer();
      expect((await decoded(bytes)).facts.lowInformation).toBe(true);
      hashes.push(await pixelHash(bytes));
    }
    expect(new Set(hashes).size).toBe(3);
    expect(await pixelHash(await star.clone().webp({ lossless: true }).toBuffer())).toBe(hashes[0]);
    // What is wholly transparent has no colour.
    const ground = (background: string) =>
      sharp({ create: { width: 8, height: 8, channels: 4, background } })
        .png()
        .toBuffer();
    expect(await pixelHash(await ground('#f000'))).toBe(await pixelHash(await ground('#0f00')));
  });

  test('differs for 16 bits a channel and their copy in 8, and in the lower 8 bits', async () => {
    const deep = async (low: number, channels: 3 | 4 = 3) => {
      const values = Uint16Array.from({ length: 32 * 32 * channels }, (_, i) =>
        channels === 4 && i % 4 === 3 ? 65_535 : ((i * 7919) % 256) * 256 + low,
      );
      return sharp(values, { raw: { width: 32, height: 32, channels } }).toColourspace('rgb16');
    };
    const png = await (await deep(3)).png().toBuffer();
    const hash = await pixelHash(png);
    expect(await pixelHash(await (await deep(3)).tiff({ compression: 'lzw' }).toBuffer())).toBe(hash);
    expect(await pixelHash(await sharp(png).toColourspace('srgb').png().toBuffer())).not.toBe(hash);
    expect(await pixelHash(await (await deep(4)).png().toBuffer())).not.toBe(hash);
    const opaque = sharp(await (await deep(3)).png().toBuffer())
      .ensureAlpha()
      .toColourspace('rgb16');
    expect(await pixelHash(await opaque.png().toBuffer())).toBe(hash);
  });

  const frame = (background: string, side = 32) =>
    sharp({ create: { width: side, height: side, channels: 3, background } })
      .png()
      .toBuffer();
  const frames = async (...colours: string[]) =>
    sharp(await Promise.all(colours.map((colour) => frame(colour))), { join: { animated: true } });

  test('is the same beside a thumbnail, and so is that, whatever the picture', async () => {
    const small = cat().resize(300, 200, { fit: 'fill' });
    const shape = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg"><circle cx="99" cy="99" r="90"/></svg>',
    );
    const pictures = {
      jpeg: CAT,
      turned: await small.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer(),
      transparent: await sharp(shape).png().toBuffer(),
      grey: await small.clone().greyscale().png().toBuffer(),
      deep: await small.clone().toColourspace('rgb16').png().toBuffer(),
      frames: await (await frames('#f00', '#0f0')).webp({ lossless: true }).toBuffer(),
    };
    for (const [name, bytes] of Object.entries(pictures)) {
      const both = await pixelHashAndThumbnail(bytes, 100);
      expect(both.pixelHash, name).toBe(await pixelHash(bytes));
      const [one, other] = await Promise.all(
        [both.thumbnail, await thumbnail(bytes, 100)].map((file) =>
          sharp(file).raw().toBuffer({ resolveWithObject: true }),
        ),
      );
      expect(one?.info, name).toEqual(other?.info);
      expect(pixelDifference(one?.data as Buffer, other?.data as Buffer), name).toBeLessThan(5);
    }
  });

  test('is of all frames of an animation and all pages of a file', async () => {
    const one = await frames('#f00', '#0f0');
    const other = await frames('#f00', '#00f');
    const webp = (picture: Sharp) => picture.clone().webp({ lossless: true }).toBuffer();
    const tiff = (picture: Sharp) => picture.clone().tiff({ compression: 'lzw' }).toBuffer();
    const still = await frame('#f00');
    const hash = await pixelHash(await webp(one));
    expect(await pixelHash(await tiff(one))).toBe(hash);
    for (const bytes of [await webp(other), await tiff(other)]) expect(await pixelHash(bytes)).not.toBe(hash);
    expect(await pixelHash(still)).not.toBe(hash);
    expect((await decoded(await webp(one))).facts).toMatchObject({ width: 32, height: 32, frames: 2 });
    expect((await decoded(await tiff(other))).facts.frames).toBe(2);
    expect((await decoded(still)).facts.frames).toBe(1);
  });

  test('of frames that are too many, or cannot be decoded together, is that of the file', async () => {
    const bytes = await (await frames('#f00', '#0f0')).webp({ lossless: true }).toBuffer();
    const ofFile = (file: Uint8Array) => createHash('sha256').update('file\n').update(file).digest('hex');
    expect(await pixelHash(bytes)).not.toBe(ofFile(bytes));
    expect(await pixelHash(bytes, { limits: { maxPixels: 1500 } })).toBe(ofFile(bytes));

    // An APNG is a PNG with a chunk that says how many frames there are: acTL, before the picture.
    const still = await frame('#f00');
    const chunk = Buffer.alloc(20);
    chunk.writeUInt32BE(8, 0);
    chunk.write('acTL', 4, 'latin1');
    chunk.writeUInt32BE(3, 8);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, 16)), 16);
    const apng = Buffer.concat([still.subarray(0, 33), chunk, still.subarray(33)]);
    expect((await decoded(apng)).facts.frames).toBe(3);
    expect(await pixelHash(apng)).toBe(ofFile(apng));
  });
});
