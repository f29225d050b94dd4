import { decodeFullSize, type PictureBytes, type PictureLimits } from '@lookalike/encoder';

/** A decoded frame: sRGB, 8 bits, three bytes a pixel, row by row. */
export interface Frame {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** @throws PictureError for bytes that are no picture. */
export async function asFrame(frame: Frame | PictureBytes, limits?: Partial<PictureLimits>): Promise<Frame> {
  if (!(frame instanceof Uint8Array)) {
    if (frame.pixels.length !== frame.width * frame.height * 3) {
      const expected = `${frame.width} x ${frame.height} x 3`;
      throw new RangeError(`a frame of ${frame.pixels.length} bytes: expected ${expected}`);
    }
    return frame;
  }
  return decodeFullSize(frame, limits ? { limits } : {});
}

/** The mean colour, each channel 0-255, from a grid of at most some thousand pixels. */
export function meanColor({ width, height, pixels }: Frame): [number, number, number] {
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / 4096)));
  const sums: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step) {
      const at = (y * width + x) * 3;
      sums[0] += pixels[at] as number;
      sums[1] += pixels[at + 1] as number;
      sums[2] += pixels[at + 2] as number;
      count++;
    }
  }
  return [sums[0] / count, sums[1] / count, sums[2] / count];
}
