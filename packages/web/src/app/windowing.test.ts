import { expect, it } from 'vitest';
import { visibleRows } from './windowing.ts';

const list = { count: 10_000, rowHeight: 200, viewport: 900, overscan: 2 };

it('renders what is seen and a few rows more, wherever the list is scrolled to', () => {
  expect(visibleRows({ ...list, offset: 0 })).toEqual({ start: 0, end: 7 });
  expect(visibleRows({ ...list, offset: 1_000_100 })).toEqual({ start: 4998, end: 5007 });
  expect(visibleRows({ ...list, offset: 2_000_000 })).toEqual({ start: 9998, end: 10_000 });
});

it('renders nothing of an empty list, and nothing far outside of it', () => {
  expect(visibleRows({ ...list, count: 0, offset: 0 })).toEqual({ start: 0, end: 0 });
  expect(visibleRows({ ...list, count: 3, offset: -5000 })).toEqual({ start: 0, end: 0 });
});
