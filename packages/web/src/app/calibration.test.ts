import { describe, expect, it } from 'vitest';
import {
  describeExpectedFalseMatches,
  describeExpectedFalsePairs,
  describeFalsePositives,
  describeRecall,
  falsePositiveBounds,
  oneIn,
} from './calibration.ts';

const thresholds = [
  { similarity: 0.8123, falsePositiveRate: 1e-4, calibratedOn: 'unrelated photographs' },
  { similarity: 0.6, falsePositiveRate: 0.01, calibratedOn: 'unrelated photographs' },
];

describe('false-positive rate of a similarity', () => {
  it('is bounded by the calibrated points on either side', () => {
    expect(falsePositiveBounds(0.7, thresholds)).toEqual({ atMost: 0.01, atLeast: 1e-4 });
    expect(falsePositiveBounds(0.5, thresholds)).toEqual({ atLeast: 0.01 });
    expect(falsePositiveBounds(0.9, thresholds)).toEqual({ atMost: 1e-4 });
    expect(falsePositiveBounds(0.6, thresholds)).toEqual({ atMost: 0.01, atLeast: 0.01 });
  });

  it('takes a slider position rounded to thousandths for the point itself', () => {
    expect(falsePositiveBounds(0.812, thresholds)).toEqual({ atMost: 1e-4, atLeast: 1e-4 });
  });

  it('is said in words a person can weigh', () => {
    expect(describeFalsePositives(0.6, thresholds)).toBe(
      'About 1 in 100 unrelated pictures look this similar.',
    );
    expect(describeFalsePositives(0.7, thresholds)).toBe(
      'Between 1 in 10,000 and 1 in 100 unrelated pictures look this similar.',
    );
    expect(describeFalsePositives(0.1, thresholds)).toMatch(/^More than 1 in 100 /);
    expect(describeFalsePositives(0.99, thresholds)).toMatch(/^Fewer than 1 in 10,000 /);
    expect(describeFalsePositives(0.7, [])).toMatch(/not known/);
    expect(oneIn(0.4)).toBe('1 in 2.5');
    expect(oneIn(0)).toBe('none of those tried');
  });

  it('is weighed against the copies that are found', () => {
    const measured = thresholds.map((point, at) => ({ ...point, recall: at === 0 ? 0.63 : 0.96 }));
    expect(describeRecall(0.6, measured)).toBe('About 96 % of edited copies do.');
    expect(describeRecall(0.7, measured)).toBe('Between 63 % and 96 % of edited copies do.');
    expect(describeRecall(0.1, measured)).toBe('More than 96 % of edited copies do.');
    expect(describeRecall(0.9, measured)).toBe('Fewer than 63 % of edited copies do.');
    expect(describeRecall(0.7, thresholds)).toBeUndefined();
  });

  it('is scaled to the collection searched', () => {
    expect(describeExpectedFalseMatches(0.7, thresholds, 5000)).toMatch(/up to about 50 a search/);
    expect(describeExpectedFalseMatches(0.9, thresholds, 500)).toMatch(/at most one in about 20 searches/);
    expect(describeExpectedFalseMatches(0.1, thresholds, 500)).toBeUndefined();
  });

  it('is scaled to all pairs where duplicates are looked for', () => {
    expect(describeExpectedFalsePairs(0.9, thresholds, 1000)).toBe(
      'Among the 499,500 pairs of this collection: up to about 50 false ones.',
    );
    expect(describeExpectedFalsePairs(0.9, thresholds, 50)).toMatch(/1,225 pairs .* probably no false one/);
    expect(describeExpectedFalsePairs(0.1, thresholds, 50)).toBeUndefined();
    expect(describeExpectedFalsePairs(0.9, thresholds, 1)).toBeUndefined();
  });
});
