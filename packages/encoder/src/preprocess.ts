import { luma } from './grey-pixels.ts';
import type { ModelDescription } from './model.ts';

/** Part of `Encoder.hash`: raise it with any change to decoding or to this file that moves an embedding. */
export const PREPROCESSING_VERSION = 1;

type ModelInput = Pick<
  ModelDescription['input'],
  'width' | 'height' | 'colorOrder' | 'layout' | 'mean' | 'std'
>;

/**
 * Makes the function that turns sRGB pixels (three bytes each, row by row) into a model's input of one picture:
 * `(value / 255 - mean) / std` a channel, in float32, laid out [channel, row, column] (`nchw`) or [row, column, channel]
 * (`nhwc`). Grey is ITU-R BT.601 luma, rounded to 8 bits as Pillow's mode `L` does.
 */
export function createPreprocessor(input: ModelInput): (pixels: Uint8Array) => Float32Array {
  const count = input.width * input.height;
  const channels = input.colorOrder === 'gray' ? 1 : 3;
  // 256 values a channel: a table gives the same float32 as the formula and saves its divisions.
  const tables = input.mean.map((mean, channel) =>
    Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / (input.std[channel] as number)),
  );
  const pixelStep = input.layout === 'nchw' ? 1 : channels;
  const channelStep = input.layout === 'nchw' ? count : 1;

  return (pixels) => {
    if (pixels.length !== count * 3) {
      throw new RangeError(`expected ${count * 3} bytes of pixels, got ${pixels.length}`);
    }
    const tensor = new Float32Array(count * channels);
    for (let channel = 0; channel < channels; channel++) {
      const table = tables[channel] as Float32Array;
      const source = input.colorOrder === 'bgr' ? 2 - channel : channel;
      for (let pixel = 0; pixel < count; pixel++) {
        const at = pixel * 3;
        const value =
          channels === 1
            ? luma(pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number)
            : (pixels[at + source] as number);
        tensor[pixel * pixelStep + channel * channelStep] = table[value] as number;
      }
    }
    return tensor;
  };
}
