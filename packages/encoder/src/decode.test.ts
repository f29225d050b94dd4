import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { type DecodeTarget, decodePicture, pixelHash, thumbnail } from './decode.ts';
import { blackPng, pixelDifference, TARGET, testPicture } from './test-pictures.ts';

/** 451 x 300. */
const CAT = testPicture('cat.jpg');
const cat = () => sharp(CAT);
const decoded = (bytes: Uint8Array, target = TARGET) => decodePicture(bytes, target);
/** The reference every variant is compared with: the same photograph, decoded plainly. */
const { pixels: catPixels } = await decoded(CAT);

describe('formats', () => {
  const containers: [string, (picture: Sharp) => Sharp, number][] = [
    ['jpeg', (p) => p.jpeg({ quality: 95 }), 2],
    ['jpeg', (p) => p.jpeg({ quality: 95, progressive: true }), 2],
    ['png', (p) => p.png(), 0.5],
    ['png', (p) => p.png({ progressive: true }), 0.5],
    ['webp', (p) => p.webp({ lossless: true }), 0.5],
    ['webp', (p) => p.webp({ quality: 90 }), 4],
    ['avif', (p) => p.avif({ quality: 80, effort: 0 }), 4],
    ['gif', (p) => p.gif({ effort: 1 }), 8],
    ['tiff', (p) => p.tiff({ compression: 'lzw' }), 0.5],
    ['tiff', (p) => p.tiff({ compression: 'jpeg', quality: 95 }), 2],
    ['tiff', (p) => p.tiff({ bigtiff: true, compression: 'none' }), 0.5],
  ];
  test.each(containers)('%s shows the same picture', async (format, convert, tolerance) => {
    const bytes = await convert(cat()).toBuffer();
    const { pixels, facts } = await decoded(bytes);
    expect(facts).toMatchObject({ format, width: 451, height: 300, lowInformation: false });
    expect(pixels).toHaveLength(224 * 224 * 3);
    expect(pixelDifference(pixels, catPixels)).toBeLessThan(tolerance);
  });

  const refused: [string, Uint8Array, string][] = [
    [
      'SVG',
      Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'SVG',
    ],
    ['PDF', Buffer.from('%PDF-1.7\n%\xe2\xe3\n'), 'PDF'],
    ['BMP', Buffer.from(`BM${'\0'.repeat(60)}`), 'BMP'],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'HEIC'],
    ['a video', Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), 'video'],
    ['text', Buffer.from('not a picture, whatever the name says\n'), 'text'],
    ['random bytes', Buffer.from(Array.from({ length: 99 }, (_, i) => (i * 73) % 256)), 'no picture format'],
  ];
  test.each(refused)('%s is refused by its content', async (_, bytes, words) => {
    await expect(decoded(bytes)).rejects.toMatchObject({
      code: 'picture-unsupported-format',
      message: expect.stringContaining(words),
    });
  });
});

describe('what a person sees', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i is applied', async (orientation) => {
    // What has to be done to a picture so that a viewer obeying the tag shows the upright one again. sharp mirrors
    // before it turns, in whatever order the calls stand.
    const undone: Record<number, (picture: Sharp) => Sharp> = {
      1: (p) => p,
      2: (p) => p.flop(),
      3: (p) => p.rotate(180),
      4: (p) => p.flip(),
      5: (p) => p.flop().rotate(-90),
      6: (p) => p.rotate(-90),
      7: (p) => p.flop().rotate(90),
      8: (p) => p.rotate(90),
    };
    const turned = await (undone[orientation] as (p: Sharp) => Sharp)(cat()).png().toBuffer();
    const bytes = await sharp(turned).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const { pixels, facts } = await decoded(bytes);
    expect(facts).toMatchObject({ width: 451, height: 300 });
    expect(pixelDifference(pixels, catPixels)).toBeLessThan(2);
  });

  test('transparency lies on white', async () => {
    const clear = { r: 200, g: 30, b: 30, alpha: 0 };
    const half = await cat().resize(451, 150, { fit: 'fill' }).png().toBuffer();
    const above = (background: typeof clear) =>
      sharp(half).extend({ top: 150, background }).ensureAlpha().png().toBuffer();
    const white = { r: 255, g: 255, b: 255, alpha: 1 };
    for (const convert of [(p: Sharp) => p.png(), (p: Sharp) => p.webp({ lossless: true })]) {
      const transparent = await convert(sharp(await above(clear))).toBuffer();
      const onWhite = await decoded(await above(white));
      expect(pixelDifference((await decoded(transparent)).pixels, onWhite.pixels)).toBeLessThan(0.5);
    }
  });

  test('CMYK, with and without a profile', async () => {
    const withProfile = await cat()
      .withIccProfile('cmyk')
      .toColourspace('cmyk')
      .jpeg({ quality: 95 })
      .toBuffer();
    const without = await sharp(withProfile)
      .toColourspace('cmyk')
      .pipelineColourspace('cmyk')
      .jpeg()
      .toBuffer();
    for (const bytes of [withProfile, without]) {
      expect((await sharp(bytes).metadata()).space).toBe('cmyk');
      expect(pixelDifference((await decoded(bytes)).pixels, catPixels)).toBeLessThan(12);
    }
  });

  test('a wide-gamut profile is converted to sRGB', async () => {
    const p3 = await cat().withIccProfile('p3').png().toBuffer();
    expect((await sharp(p3).metadata()).icc).toBeDefined();
    const raw = await sharp(p3, { ignoreIcc: true })
      .resize(224, 224, { fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
    const { pixels } = await decoded(p3);
    expect(pixelDifference(pixels, catPixels)).toBeLessThan(1.5);
    expect(pixelDifference(pixels, raw)).toBeGreaterThan(3);
  });

  test('16 bits a channel, in colour and in grey', async () => {
    const colour = await cat().toColourspace('rgb16').png().toBuffer();
    const tiff = await cat().toColourspace('rgb16').tiff({ compression: 'deflate' }).toBuffer();
    const grey = await cat().greyscale().toColourspace('grey16').png().toBuffer();
    for (const bytes of [colour, tiff, grey]) expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    expect(pixelDifference((await decoded(colour)).pixels, catPixels)).toBeLessThan(1.5);
    expect(pixelDifference((await decoded(tiff)).pixels, catPixels)).toBeLessThan(1.5);
    const grey8 = await decoded(await cat().greyscale().png().toBuffer());
    expect(pixelDifference((await decoded(grey)).pixels, grey8.pixels)).toBeLessThan(1.5);
  });

  test('grey has three equal channels; grey with alpha and palettes work', async () => {
    const grey = await cat().greyscale().png().toBuffer();
    const { pixels } = await decoded(grey);
    for (let i = 0; i < pixels.length; i += 3) {
      expect(pixels[i] === pixels[i + 1] && pixels[i] === pixels[i + 2]).toBe(true);
    }
    const greyAlpha = await sharp(grey).ensureAlpha(1).png().toBuffer();
    expect(pixelDifference((await decoded(greyAlpha)).pixels, pixels)).toBeLessThan(0.5);
    const palette = await cat().png({ palette: true, colours: 256 }).toBuffer();
    expect(pixelDifference((await decoded(palette)).pixels, catPixels)).toBeLessThan(8);
  });

  test.each(['gif', 'webp'] as const)('of an animated %s the first frame', async (format) => {
    const red = { create: { width: 451, height: 300, channels: 3, background: 'red' } } as const;
    const other = await sharp(red).png().toBuffer();
    const bytes = await sharp([CAT, other], { join: { animated: true } })
      .toFormat(format, { effort: 1 })
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    const { pixels, facts } = await decoded(bytes);
    expect(facts).toMatchObject({ format, width: 451, height: 300 });
    expect(pixelDifference(pixels, catPixels)).toBeLessThan(8);
  });

  test('a large JPEG decoded at a fraction is the same picture as decoded in full', async () => {
    const large = cat().resize(3200, 2400, { fit: 'fill', kernel: 'cubic' });
    const png = await large.clone().png({ compressionLevel: 1 }).toBuffer();
    const jpeg = await large.clone().jpeg({ quality: 95 }).toBuffer();
    expect(pixelDifference((await decoded(jpeg)).pixels, (await decoded(png)).pixels)).toBeLessThan(1);
  });
});

test('fit: squash ignores the aspect, cover cuts to the middle, contain pads with white', async () => {
  // A quarter red, a quarter green, half blue, 400 x 100.
  const band = (column: number) => (column < 100 ? [255, 0, 0] : column < 200 ? [0, 255, 0] : [0, 0, 255]);
  const row = Array.from({ length: 400 }, (_, column) => band(column)).flat();
  const rows = Buffer.from(Array.from({ length: 100 }, () => row).flat());
  const bytes = await sharp(rows, { raw: { width: 400, height: 100, channels: 3 } })
    .png()
    .toBuffer();
  const at = async (fit: DecodeTarget['resize']['fit'], x: number, y: number) => {
    const { pixels } = await decoded(bytes, { width: 64, height: 64, resize: { fit, kernel: 'nearest' } });
    return [...pixels.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)];
  };
  expect(await at('squash', 2, 32)).toEqual([255, 0, 0]);
  expect(await at('squash', 60, 32)).toEqual([0, 0, 255]);
  expect(await at('cover', 2, 32)).toEqual([0, 255, 0]);
  expect(await at('cover', 60, 32)).toEqual([0, 0, 255]);
  expect(await at('contain', 2, 2)).toEqual([255, 255, 255]);
  expect(await at('contain', 2, 32)).toEqual([255, 0, 0]);
});

test.each(['jpeg', 'webp', 'png'] as const)('a %s of any size is the same to the model', async (format) => {
  for (const side of [150, 224, 300, 700, 1500]) {
    const resized = cat().resize(side, side, { fit: 'fill', kernel: 'cubic' });
    const { pixels } = await decoded(await resized.toFormat(format, { quality: 95 }).toBuffer());
    expect(pixelDifference(pixels, catPixels), `${side} pixels`).toBeLessThan(5);
  }
});

describe('bad pictures', () => {
  test('no bytes', async () => {
    await expect(decoded(new Uint8Array())).rejects.toMatchObject({ code: 'picture-empty' });
  });

  test('30,000 x 30,000 pixels in few bytes are refused by their header', async () => {
    const bomb = blackPng(30_000, 30_000);
    expect(bomb.length).toBeLessThan(1_000_000);
    for (const read of [() => decoded(bomb), () => pixelHash(bomb), () => thumbnail(bomb, 64)]) {
      await expect(read()).rejects.toMatchObject({
        code: 'picture-too-many-pixels',
        message: expect.stringContaining('30000 x 30000'),
      });
    }
  });

  test('limits on bytes and pixels are the given ones, and inclusive', async () => {
    const limits = { maxBytes: CAT.length, maxPixels: 451 * 300 };
    await expect(decodePicture(CAT, TARGET, { limits })).resolves.toBeDefined();
    await expect(decodePicture(CAT, TARGET, { limits: { maxBytes: CAT.length - 1 } })).rejects.toMatchObject({
      code: 'picture-too-large',
    });
    await expect(decodePicture(CAT, TARGET, { limits: { maxPixels: 451 * 300 - 1 } })).rejects.toMatchObject({
      code: 'picture-too-many-pixels',
    });
  });

  const truncatable: [string, (picture: Sharp) => Sharp][] = [
    ['jpeg', (p) => p.jpeg()],
    ['progressive jpeg', (p) => p.jpeg({ progressive: true })],
    ['png', (p) => p.png()],
    ['webp', (p) => p.webp()],
    ['avif', (p) => p.avif({ effort: 0 })],
    ['gif', (p) => p.gif({ effort: 1 })],
    ['tiff', (p) => p.tiff({ compression: 'lzw' })],
  ];
  test.each(truncatable)('a truncated %s is damaged, wherever it ends', async (_, convert) => {
    const whole = await convert(cat()).toBuffer();
    for (const part of [0.02, 0.3, 0.6, 0.9]) {
      const bytes = whole.subarray(0, Math.max(20, Math.floor(whole.length * part)));
      await expect(decoded(bytes), `${part} of the bytes`).rejects.toMatchObject({ code: 'picture-damaged' });
    }
  });

  test('what is damaged is said in words, also while others are decoded', async () => {
    const bytes = (await cat().jpeg().toBuffer()).subarray(0, 5000);
    const messages = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        decoded(i % 2 ? bytes : CAT).then(
          () => 'decoded',
          (error) => (error as Error).message,
        ),
      ),
    );
    for (const [i, message] of messages.entries())
      expect(message).toMatch(i % 2 ? /cannot be decoded: .*(premature end|cut short)/ : /^decoded$/);
  });

  test('a PNG with a flipped byte is damaged', async () => {
    const bytes = Buffer.from(await cat().png().toBuffer());
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
    await expect(decoded(bytes)).rejects.toMatchObject({ code: 'picture-damaged' });
  });

  test('a JPEG with harmless bytes after its end is read', async () => {
    const { pixels } = await decoded(Buffer.concat([CAT, Buffer.from('trailer of a camera')]));
    expect(pixels).toEqual(catPixels);
  });
});

describe('low information', () => {
  const noisy = (level: number) =>
    sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: '#808080',
        noise: { type: 'gaussian', mean: 128, sigma: level },
      },
    })
      .png()
      .toBuffer();
  test('blank pictures, faint noise and dots', async () => {
    const blank = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#336699' } })
      .jpeg()
      .toBuffer();
    const dot = await cat().resize(15, 40, { fit: 'fill' }).png().toBuffer();
    for (const bytes of [blank, await noisy(2), dot, blackPng(100, 100)]) {
      expect((await decoded(bytes)).facts.lowInformation).toBe(true);
    }
  });

  test('not a photograph, a dark one, or one in a single colour channel', async () => {
    const dark = await cat().linear(0.15, 0).png().toBuffer();
    const blue = await cat()
      .recomb([
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
      ])
      .png()
      .toBuffer();
    for (const bytes of [CAT, dark, blue, await noisy(60)]) {
      expect((await decoded(bytes)).facts.lowInformation).toBe(false);
    }
  });
});

test('a thumbnail is a WebP inside the side asked for, upright, never enlarged', async () => {
  const turned = await sharp(await cat().rotate(-90).png().toBuffer())
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  for (const bytes of [CAT, turned]) {
    const small = await sharp(await thumbnail(bytes, 128)).metadata();
    expect(small).toMatchObject({ format: 'webp', width: 128, height: 85 });
    expect(small.orientation).toBeUndefined();
  }
  expect(await sharp(await thumbnail(CAT, 4000)).metadata()).toMatchObject({ width: 451, height: 300 });
});
