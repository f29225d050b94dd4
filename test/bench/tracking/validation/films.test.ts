import { describe, expect, test } from 'vitest';
import { HALVES, validationFilms } from './films.ts';

const films = validationFilms();

test('both halves have films, and no film is in both', () => {
  expect(new Set(films.map(({ half }) => half))).toEqual(new Set(HALVES));
  expect(new Set(films.map(({ film }) => film)).size).toBe(films.length);
});

test('what frames a package gives to one half are not in the other', () => {
  for (const one of films.filter(({ half }) => half === 'choose')) {
    for (const other of films.filter(({ half }) => half === 'confirm')) {
      if (one.source.path !== other.source.path) continue;
      expect(one.frames[1] < other.frames[0] || other.frames[1] < one.frames[0]).toBe(true);
    }
  }
});

describe.each(films)('$film', ({ source, frames: [first, last], targets }) => {
  test('says where it is from and under which licence', () => {
    expect(source.licence).not.toBe('');
    if (source.from !== 'research data') expect([source.package, source.version]).not.toContain(undefined);
  });

  test.each(targets)('$name has boxes in its frames', ({ boxes }) => {
    const numbers = Object.keys(boxes).map(Number);
    expect(numbers.length).toBeGreaterThan(5);
    for (const number of numbers) {
      expect(number).toBeGreaterThanOrEqual(first);
      expect(number).toBeLessThanOrEqual(last);
    }
    for (const [x, y, width, height] of Object.values(boxes)) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(Math.min(width, height)).toBeGreaterThan(8);
    }
  });
});
