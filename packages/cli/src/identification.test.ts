import { describe, expect, test } from 'vitest';
import { candidates, classThreshold, labelOf } from './identification.ts';

describe('the class of an enrolled example', () => {
  test.each([
    ['anna/1.jpg', { label: 'Anna K.' }, 'Anna K.'],
    ['anna/1.jpg', { label: 7 }, '7'],
    ['anna/1.jpg', { other: 'x' }, 'anna'],
    ['staff/anna/1.jpg', undefined, 'staff/anna'],
    ['alpha.png', undefined, 'alpha'],
    ['v1.2 final.png', {}, 'v1.2 final'],
    ['.hidden', {}, '.hidden'],
    ['/odd.png', {}, '/odd'],
  ])('%s with %o is %s', (id, metadata, label) => {
    expect(labelOf(id, metadata, 'label')).toBe(label);
  });

  test('another field may hold it', () => {
    expect(labelOf('1.png', { person: 'anna' }, 'person')).toBe('anna');
  });
});

describe('candidates', () => {
  const match = (id: string, similarity: number) => ({ id, similarity, distance: 1 - similarity });
  const matches = [
    match('b/1', 0.9),
    match('a/1', 0.8),
    match('a/2', 0.7),
    match('b/2', 0.2),
    match('a/3', 0.1),
  ];

  test('one reference: the class of the nearest example', () => {
    expect(candidates(matches, { field: 'label', references: 1 })).toEqual([
      { label: 'b', similarity: 0.9, examples: 1, nearest: 'b/1' },
      { label: 'a', similarity: 0.8, examples: 1, nearest: 'a/1' },
    ]);
  });

  test('several: the mean over the nearest so many of each class', () => {
    const [first, second] = candidates(matches, { field: 'label', references: 2 });
    expect(first).toMatchObject({ label: 'a', examples: 2, nearest: 'a/1' });
    expect(first?.similarity).toBeCloseTo(0.75);
    expect(second?.similarity).toBeCloseTo(0.55);
  });

  test('a class with fewer examples is scored by those it has', () => {
    expect(
      candidates(matches, { field: 'label', references: 9 }).map(({ label, examples }) => [label, examples]),
    ).toEqual([
      ['b', 2],
      ['a', 3],
    ]);
  });

  test('equal classes come in the order of their labels', () => {
    const tied = [match('b/1', 0.5), match('a/1', 0.5)];
    expect(candidates(tied, { field: 'label', references: 1 }).map(({ label }) => label)).toEqual(['a', 'b']);
  });
});

describe('the threshold of a class', () => {
  const point = (references: number, margin: number) => ({
    references,
    margin,
    falsePositiveRate: 0.1,
    recall: 0.9,
    calibratedOn: 'a test',
  });
  const points = [point(3, -0.1), point(3, -0.02), point(5, -0.05)];
  /** Unit vectors, each at this cosine to every other: a share of one direction in common. */
  const alike = (count: number, cosine: number) =>
    Array.from({ length: count }, (_, i) =>
      Array.from({ length: count + 1 }, (_, d) =>
        d === 0 ? Math.sqrt(cosine) : d === i + 1 ? Math.sqrt(1 - cosine) : 0,
      ),
    );

  test('lies below how alike its examples are, by the first margin for so many', () => {
    const steady = classThreshold(alike(4, 0.8), points);
    expect(steady?.among).toBeCloseTo(0.8);
    expect(steady?.similarity).toBeCloseTo(0.7);
    expect(steady?.point).toBe(points[0]);
    const varied = classThreshold(alike(7, 0.5), points);
    expect(varied?.similarity).toBeCloseTo(0.45);
    expect(varied?.point).toBe(points[2]);
  });

  test("or by a margin of one's own, whose error rates are told where it was calibrated", () => {
    expect(classThreshold(alike(3, 0.8), points, -0.02)).toMatchObject({ point: points[1] });
    const own = classThreshold(alike(2, 0.8), points, 0.03);
    expect(own?.similarity).toBeCloseTo(0.83);
    expect(own?.point).toBeUndefined();
  });

  test('is not known for fewer examples than were calibrated, nor for one', () => {
    expect(classThreshold(alike(2, 0.8), points)).toBeUndefined();
    expect(classThreshold(alike(1, 0.8), points, -0.1)).toBeUndefined();
  });
});
