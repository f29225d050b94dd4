import type { ModelDescription } from './model.ts';

export interface ErrorRates {
  /** Share of pairs that do not belong together and yet reach the threshold: the risk of a "same". */
  falsePositiveRate?: number;
  /** Share of pairs that belong together and yet stay below it: the risk of a "different". */
  falseRejectRate?: number;
}

/** What calibration says of verdicts at `threshold`; nothing where the model was not calibrated at it. */
export function errorRatesAt(model: Pick<ModelDescription, 'thresholds'>, threshold: number): ErrorRates {
  const point = model.thresholds.find(({ similarity }) => similarity === threshold);
  if (point === undefined) return {};
  const { falsePositiveRate, recall } = point;
  // 1 - 0.93 is 0.06999999999999995: no more digits than were calibrated.
  return {
    falsePositiveRate,
    ...(recall !== undefined && { falseRejectRate: Number((1 - recall).toFixed(6)) }),
  };
}
