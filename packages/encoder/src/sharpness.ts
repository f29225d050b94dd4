import type { GreyPixels } from './grey-pixels.ts';

const BLOCK = 16;
/** Of 255, squared: below this standard deviation a block is sky or wall, and its sharpness that of its noise. */
const LEAST_VARIANCE = 4 ** 2;
/** Energy of the kernel below: what white noise of variance 1 answers. */
const NOISE_ENERGY = 20;

/**
 * How much of the contrast is in the finest detail, from 0 (smooth) to about 1 (noise): in every block of 16 x 16 pixels with some
 * contrast the energy of its Laplacian (four neighbours; Pech-Pacheco et al., "Diatom autofocusing in brightfield
 * microscopy", 2000) over its variance, and of all blocks the median. Over the variance, so that a brighter copy is not a
 * sharper one; the median, so that a caption is not either. 0 where no block has contrast. To be compared among pictures read
 * at one size only.
 */
export function sharpness({ values, width, height }: GreyPixels): number {
  const ratios: number[] = [];
  for (let top = 0; top < height; top += BLOCK)
    for (let left = 0; left < width; left += BLOCK) {
      let count = 0;
      let sum = 0;
      let squares = 0;
      let energy = 0;
      const bottom = Math.min(top + BLOCK, height - 1);
      const right = Math.min(left + BLOCK, width - 1);
      for (let y = Math.max(1, top); y < bottom; y++)
        for (let x = Math.max(1, left); x < right; x++) {
          const at = y * width + x;
          const value = values[at] as number;
          const laplacian =
            (values[at - width] as number) +
            (values[at + width] as number) +
            (values[at - 1] as number) +
            (values[at + 1] as number) -
            4 * value;
          count++;
          sum += value;
          squares += value * value;
          energy += laplacian * laplacian;
        }
      if (count === 0) continue;
      const variance = squares / count - (sum / count) ** 2;
      if (variance >= LEAST_VARIANCE) ratios.push(energy / count / variance / NOISE_ENERGY);
    }
  ratios.sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] ?? 0;
}
