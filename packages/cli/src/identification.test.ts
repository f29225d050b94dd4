import { describe, expect, test } from 'vitest';
import { candidates, labelOf } from './identification.ts';

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
