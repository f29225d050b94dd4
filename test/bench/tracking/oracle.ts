import type { Box } from '@lookalike/tracking';

export const ORACLES = ['fixed aspect', 'fixed size'] as const;

/**
 * What no tracker of its kind can pass, given the true boxes: always at the true middle, with the shape of the first
 * frame. `fixed aspect` also has the best size in every frame, `fixed size` keeps the first one.
 *
 * The best size is that of equal area: between covering the true width and covering the true height, the overlap of two
 * boxes with one middle is a s / (b s^2 + c - a s), which is largest where b s^2 = c, the two areas.
 */
export function oracleBoxes(truth: readonly Box[], kept: (typeof ORACLES)[number]): Box[] {
  const [first] = truth;
  if (!first) return [];
  return truth.map(({ x, y, width, height }) => {
    const scale = kept === 'fixed size' ? 1 : Math.sqrt((width * height) / (first.width * first.height));
    const [w, h] = [first.width * scale, first.height * scale];
    return { x: x + (width - w) / 2, y: y + (height - h) / 2, width: w, height: h };
  });
}
