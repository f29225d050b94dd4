import type { Box } from '@lookalike/tracking';

/** Intersection over union of two boxes, 0 to 1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Distance of the middles of two boxes, in pixels. */
export function middleDistance(a: Box, b: Box): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}

export interface TrackingFigures {
  /** Area under the success curve: the mean over thresholds 0, 0.05 ... 1 of the share of frames with a larger overlap. */
  success: number;
  /** Share of frames whose middle is at most 20 pixels off. */
  precision20: number;
  meanOverlap: number;
}

/**
 * The figures of the one-pass evaluation (Wu, Lim, Yang 2013) over all frames, the first one included as it is there. As
 * in their code, an overlap has to be larger than its threshold.
 */
export function trackingFigures(found: readonly Box[], truth: readonly Box[]): TrackingFigures {
  if (found.length !== truth.length || truth.length === 0)
    throw new RangeError(`${found.length} boxes for ${truth.length} frames`);
  const overlaps = found.map((box, i) => overlap(box, truth[i] as Box));
  const thresholds = Array.from({ length: 21 }, (_, i) => i / 20);
  const share = (count: number) => count / truth.length;
  const rates = thresholds.map((threshold) => share(overlaps.filter((value) => value > threshold).length));
  const near = found.filter((box, i) => middleDistance(box, truth[i] as Box) <= 20).length;
  return {
    success: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
    precision20: share(near),
    meanOverlap: overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length,
  };
}
