import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { animatedGif, animation, madeFrames, resized } from '../../../test/made-animation.ts';
import { frameHashes } from './decode.ts';
import { testPicture } from './test-pictures.ts';

const BLANK = '0'.repeat(64);
const blank = (side = 32) =>
  sharp({ create: { width: side, height: side, channels: 3, background: '#000' } })
    .png()
    .toBuffer();

function differingBits(a: string, b: string): number {
  const bits = (hash: string) => BigInt(`0x${hash}`);
  return (bits(a) ^ bits(b)).toString(2).replaceAll('0', '').length;
}

const counted = (hashes: readonly string[] | undefined) => hashes?.map((places) => places.slice(0, 64));

describe('hashes of frames', () => {
  test('are those of every frame where there are eight, in any container and size', async () => {
    const frames = await madeFrames(testPicture('cat.jpg'), 8);
    const gif = await animatedGif(frames);
    const hashes = counted(await frameHashes(gif)) as string[];
    expect(new Set(hashes)).toHaveLength(8);
    const copies = {
      webp: await resized(gif, 90).webp().toBuffer(),
      tiff: await animation(frames).tiff().toBuffer(),
    };
    for (const [name, copy] of Object.entries(copies))
      for (const [place, hash] of (counted(await frameHashes(copy)) as string[]).entries())
        expect(differingBits(hash, hashes[place] as string), `${name} ${place}`).toBeLessThan(64);
  });

  test('say which frames are blank, and are none of stills', async () => {
    const [cat] = await madeFrames(testPicture('cat.jpg'), 1);
    const black = await sharp(cat).linear(0, 0).png().toBuffer();
    const hashes = counted(
      await frameHashes(
        await animation([cat as Buffer, black])
          .webp()
          .toBuffer(),
      ),
    );
    expect(hashes?.[0]).not.toBe(BLANK);
    expect(hashes?.at(-1)).toBe(BLANK);
    expect(await frameHashes(testPicture('cat.jpg'))).toBeUndefined();
  });

  test('are not taken of more than 500 frames, nor of more pixels than the limits allow', async () => {
    const frames = await madeFrames(testPicture('cat.jpg'), 8);
    const gif = await animatedGif(frames);
    const { width, height } = await sharp(gif).metadata();
    const pixels = 8 * width * height;
    expect(await frameHashes(gif, { limits: { maxPixels: pixels } })).toHaveLength(8);
    expect(await frameHashes(gif, { limits: { maxPixels: pixels - 1 } })).toBeUndefined();
    expect(await frameHashes(gif, { limits: { maxDecodeBytes: 2 * pixels } })).toBeUndefined();
    const many = Array.from({ length: 501 }, (_, n) => n);
    const tiny = await blank(2);
    const film = (count: number) =>
      animation(many.slice(0, count).map(() => tiny))
        .tiff()
        .toBuffer();
    expect(await frameHashes(await film(500))).toHaveLength(8);
    expect(await frameHashes(await film(501))).toBeUndefined();
  });

  test('are none where the frames cannot be decoded', async () => {
    const file = await animation(await madeFrames(testPicture('cat.jpg'), 8))
      .tiff({ compression: 'jpeg' })
      .toBuffer();
    expect(await frameHashes(file)).toHaveLength(8);
    // The compressed pixels are in front of what says where they are.
    expect(await frameHashes(file.fill(0, 1000, Math.floor(file.length / 2)))).toBeUndefined();
  });
});
