import { openEncoder, resolveModel } from '@lookalike/encoder';
import sharp from 'sharp';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { animatedGif, madeFrames, resized } from '../../../test/made-animation.ts';
import { madePage } from '../../../test/made-page.ts';
import { lazyEncoders } from './encoders.ts';
import { pixelEncoder } from './testing/pixel-encoder.ts';
import { openTestApp, photograph } from './testing/test-app.ts';

// The real model: small pictures, as the encoder of tests sees them, are never pages.
vi.setConfig({ testTimeout: 60_000 });

const encoders = lazyEncoders({
  default: 'near-duplicate',
  names: ['near-duplicate', 'pixels', 'narrow'],
  open: async (name) => {
    if (name === 'pixels') return pixelEncoder(name);
    // Enough to decode a JPEG of two megapixels scaled down, and not at its own size.
    const limits = name === 'narrow' ? { maxDecodeBytes: 8_000_000 } : {};
    return openEncoder(await resolveModel('near-duplicate'), { threads: 1, limits });
  },
});
const { send } = openTestApp({ encoders });
afterAll(() => encoders.close());

const blank = (background: string) => sharp({ create: { width: 300, height: 400, channels: 3, background } });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

async function compare(a: Uint8Array, b: Uint8Array, more = {}): Promise<{ same: boolean; by: string }> {
  const body = { a: { image: base64(a) }, b: { image: base64(b) }, ...more };
  const answer = await send('POST', '/v1/compare', body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as { same: boolean; by: string };
}

describe('two pictures are compared as a search for duplicates compares them', () => {
  it('two pages are different where their hashes are', async () => {
    const [one, other] = [await madePage(1), await madePage(2)];
    expect(await compare(one, other)).toMatchObject({ same: false, by: 'page' });
    expect(await compare(one, await sharp(one).webp().toBuffer())).toMatchObject({ same: true });
    for (const more of [{ threshold: 0.75 }, { model: 'pixels' }])
      expect(await compare(one, other, more)).toMatchObject({ same: true, by: 'embedding' });
  });

  it('a blank picture is the same as its own bytes and pixels only', async () => {
    const white = await blank('white').png().toBuffer();
    expect(await compare(white, await blank('#eee').png().toBuffer())).toMatchObject({
      same: false,
      by: 'low-information',
    });
    expect(await compare(white, white)).toMatchObject({ same: true, by: 'bytes' });
    const other = await blank('white').webp({ lossless: true }).toBuffer();
    expect(await compare(white, other)).toMatchObject({ same: true, by: 'pixels' });
  });

  it('two animations are the same where they run alike', async () => {
    const frames = await madeFrames(photograph('cat.jpg'), 6);
    const film = await animatedGif(frames);
    const small = await resized(film, 100).webp().toBuffer();
    expect(await compare(film, small)).toMatchObject({ same: true });
    const back = await animatedGif([...frames.slice(0, 3), ...frames.slice(0, 3).toReversed()]);
    expect(await compare(film, back)).toMatchObject({ same: false, by: 'frames' });
  });

  it('goes on, and says so, where a picture cannot be read at full size', async () => {
    const large = sharp(photograph('cat.jpg')).resize(1600, 1200, { fit: 'fill' });
    const one = await large.clone().jpeg().toBuffer();
    const other = await large.clone().jpeg({ quality: 70 }).toBuffer();
    expect(await compare(one, other)).toMatchObject({ same: true, by: 'embedding' });
    const unread = { code: 'picture-too-many-pixels', message: expect.stringContaining('1600 x 1200') };
    const answer = await compare(one, other, { model: 'narrow' });
    expect(answer).toMatchObject({ same: true, by: 'embedding', unreadPixels: { a: unread, b: unread } });
    expect(await compare(one, one, { model: 'narrow' })).not.toHaveProperty('unreadPixels');
  });

  it('vectors are compared by their similarity', async () => {
    const vector = Array.from({ length: 256 }, (_, index) => index - 90);
    const answer = await send('POST', '/v1/compare', {
      a: { vector },
      b: { image: base64(photograph('cat.jpg')) },
    });
    expect(await answer.json()).toMatchObject({ same: false, by: 'embedding' });
  });
});
