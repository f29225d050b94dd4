/** One point of a model's calibration: the share of unrelated pairs of pictures at least this similar. */
export interface CalibratedThreshold {
  similarity: number;
  falsePositiveRate: number;
  recall?: number | undefined;
  calibratedOn: string;
}

/** What calibration proves of the false-positive rate at a similarity; a missing side is unbounded. */
export interface FalsePositiveBounds {
  atMost?: number;
  atLeast?: number;
}

/** Slider positions are rounded to thousandths; a point that rounds to the same position is that point. */
const position = (value: number) => Math.round(value * 1000);

/**
 * The rate falls as similarity rises, so the calibrated points on either side bound it. Nothing is interpolated: the
 * tails are far from linear and a guess would read like a measurement.
 */
export function falsePositiveBounds(
  similarity: number,
  thresholds: readonly CalibratedThreshold[],
): FalsePositiveBounds {
  const bounds: FalsePositiveBounds = {};
  for (const point of thresholds) {
    const difference = position(point.similarity) - position(similarity);
    if (difference <= 0) bounds.atMost = Math.min(bounds.atMost ?? 1, point.falsePositiveRate);
    if (difference >= 0) bounds.atLeast = Math.max(bounds.atLeast ?? 0, point.falsePositiveRate);
  }
  return bounds;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `1 in 10,000`; `none of those tried` for a measured zero. */
export function oneIn(rate: number): string {
  if (rate <= 0) return 'none of those tried';
  const denominator = 1 / rate;
  if (denominator < 10) return `1 in ${Number(denominator.toPrecision(2))}`;
  return `1 in ${whole.format(Number(denominator.toPrecision(2)))}`;
}

/** A sentence for the slider: how many unrelated pictures would reach this similarity. */
export function describeFalsePositives(
  similarity: number,
  thresholds: readonly CalibratedThreshold[],
): string {
  if (thresholds.length === 0)
    return 'This collection has no calibrated encoder, so the rate of false matches is not known.';
  const { atMost, atLeast } = falsePositiveBounds(similarity, thresholds);
  const tail = 'unrelated pictures look this similar.';
  if (atMost === undefined) return `More than ${oneIn(atLeast ?? 1)} ${tail}`;
  if (atLeast === undefined) return `Fewer than ${oneIn(atMost)} ${tail}`;
  if (atMost === atLeast) return `About ${oneIn(atMost)} ${tail}`;
  return `Between ${oneIn(atLeast)} and ${oneIn(atMost)} ${tail}`;
}

/** How many edited copies of a picture reach this similarity; nothing where that was not calibrated. */
export function describeRecall(
  similarity: number,
  thresholds: readonly CalibratedThreshold[],
): string | undefined {
  let atMost: number | undefined;
  let atLeast: number | undefined;
  for (const { recall, ...point } of thresholds) {
    if (recall === undefined) continue;
    // Recall falls with similarity: a point below bounds it from above.
    const difference = position(point.similarity) - position(similarity);
    if (difference <= 0) atMost = Math.min(atMost ?? 1, recall);
    if (difference >= 0) atLeast = Math.max(atLeast ?? 0, recall);
  }
  const percent = (value: number) => `${Math.round(value * 100)} %`;
  const tail = 'of edited copies do.';
  if (atMost === undefined)
    return atLeast === undefined ? undefined : `More than ${percent(atLeast)} ${tail}`;
  if (atLeast === undefined) return `Fewer than ${percent(atMost)} ${tail}`;
  if (atMost === atLeast) return `About ${percent(atMost)} ${tail}`;
  return `Between ${percent(atLeast)} and ${percent(atMost)} ${tail}`;
}

/** The same for all pairs of a collection, which a search for duplicates looks at. */
export function describeExpectedFalsePairs(
  similarity: number,
  thresholds: readonly CalibratedThreshold[],
  items: number,
): string | undefined {
  const { atMost } = falsePositiveBounds(similarity, thresholds);
  if (atMost === undefined || items < 2) return undefined;
  const pairs = (items * (items - 1)) / 2;
  const expected = atMost * pairs;
  const among = `Among the ${whole.format(pairs)} pairs of this collection`;
  if (expected < 1) return `${among}: probably no false one.`;
  return `${among}: up to about ${whole.format(Number(expected.toPrecision(2)))} false ${expected < 1.5 ? 'one' : 'ones'}.`;
}

/** The same for one search of a collection of this size; nothing where calibration gives no upper bound. */
export function describeExpectedFalseMatches(
  similarity: number,
  thresholds: readonly CalibratedThreshold[],
  items: number,
): string | undefined {
  const { atMost } = falsePositiveBounds(similarity, thresholds);
  if (atMost === undefined || items === 0) return undefined;
  const expected = atMost * items;
  const pictures = items === 1 ? '1 picture' : `${whole.format(items)} pictures`;
  if (expected >= 1)
    return `In this collection of ${pictures}: up to about ${whole.format(expected)} a search.`;
  if (expected <= 0) return undefined;
  return `In this collection of ${pictures}: at most one in about ${whole.format(Number((1 / expected).toPrecision(2)))} searches.`;
}
