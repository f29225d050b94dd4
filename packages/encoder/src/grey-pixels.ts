/** One value a pixel, row by row, 0 to 255. */
export interface GreyPixels {
  values: Uint8Array;
  width: number;
  height: number;
}

/** ITU-R BT.601 luma in 16-bit fixed point, rounded to 8 bits as Pillow's mode `L` does. */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** @param pixels three bytes each, `width * height` of them */
export function greyPixels(pixels: Uint8Array, width: number, height: number): GreyPixels {
  const values = new Uint8Array(width * height);
  for (let pixel = 0, at = 0; pixel < values.length; pixel++, at += 3)
    values[pixel] = luma(pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number);
  return { values, width, height };
}
