/** One of the eight ways to turn and mirror a square: mirrored left to right first, then turned clockwise. */
export interface Symmetry {
  /** `none`, `mirrored`, `rotated 90`, `mirrored, rotated 270`, … */
  name: string;
  mirrored: boolean;
  /** Clockwise, of 90 degrees. */
  quarterTurns: 0 | 1 | 2 | 3;
}

/** The first one changes nothing. */
export const SYMMETRIES: readonly Symmetry[] = [false, true].flatMap((mirrored) =>
  ([0, 1, 2, 3] as const).map((quarterTurns) => ({
    name:
      [...(mirrored ? ['mirrored'] : []), ...(quarterTurns > 0 ? [`rotated ${90 * quarterTurns}`] : [])].join(
        ', ',
      ) || 'none',
    mirrored,
    quarterTurns,
  })),
);

/** `pixels` of a square picture of `side` x `side`, three bytes each, mirrored and turned. */
export function transformSquare(
  pixels: Uint8Array,
  side: number,
  { mirrored, quarterTurns }: Symmetry,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(pixels.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let [fromX, fromY] = [x, y];
      for (let turn = 0; turn < quarterTurns; turn++) [fromX, fromY] = [fromY, side - 1 - fromX];
      if (mirrored) fromX = side - 1 - fromX;
      const from = 3 * (fromY * side + fromX);
      const to = 3 * (y * side + x);
      result[to] = pixels[from] as number;
      result[to + 1] = pixels[from + 1] as number;
      result[to + 2] = pixels[from + 2] as number;
    }
  }
  return result;
}

/**
 * How `picture` comes from `original`, both squashed to `side` x `side`: the symmetry under which their pixels differ
 * least (mean squared difference). Copies that were cropped or recoloured as well still agree best the right way up.
 */
export function symmetryBetween(original: Uint8Array, picture: Uint8Array, side: number): Symmetry {
  let best = SYMMETRIES[0] as Symmetry;
  let least = Number.POSITIVE_INFINITY;
  for (const symmetry of SYMMETRIES) {
    const turned = transformSquare(original, side, symmetry);
    let difference = 0;
    for (const [index, value] of turned.entries()) difference += (value - (picture[index] as number)) ** 2;
    if (difference < least) {
      least = difference;
      best = symmetry;
    }
  }
  return best;
}
