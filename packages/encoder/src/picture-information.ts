/** Below this on its shorter side a picture is a dot or an icon's fragment. */
const MIN_SIDE = 16;
/** Of 255: noise of a blank scan or of a lens cap stays below, every photograph of something is far above. */
const MIN_DEVIATION = 4;

/**
 * Whether a picture is blank or nearly so: no colour channel of it varies (standard deviation under 4 of 255 at the
 * model's size), or it is under 16 pixels on a side.
 * @param pixels three bytes a pixel
 * @param width of the source, in pixels
 */
export function isLowInformation(pixels: Uint8Array, width: number, height: number): boolean {
  if (Math.min(width, height) < MIN_SIDE) return true;
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  for (let i = 0; i < pixels.length; i += 3) {
    for (let channel = 0; channel < 3; channel++) {
      const value = pixels[i + channel] as number;
      sums[channel] = (sums[channel] as number) + value;
      squares[channel] = (squares[channel] as number) + value * value;
    }
  }
  const count = pixels.length / 3;
  return sums.every((sum, channel) => {
    const variance = (squares[channel] as number) / count - (sum / count) ** 2;
    return variance < MIN_DEVIATION * MIN_DEVIATION;
  });
}
