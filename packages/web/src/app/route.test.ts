import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRoute, parseRoute, type Route, viewNames } from './route.ts';

describe('the URL hash', () => {
  it('round-trips every route, whatever the names hold', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' });
    const reference = fc.oneof(fc.record({ item: text }), fc.record({ kept: text }));
    const routes = fc.record<Route, 'view'>(
      {
        view: fc.constantFrom(...viewNames),
        collection: text,
        a: reference,
        b: reference,
        model: text,
        among: fc.array(text, { minLength: 1 }),
        look: text,
        min: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
        job: text,
      },
      { requiredKeys: ['view'] },
    );
    fc.assert(
      fc.property(routes, (route) => {
        expect(parseRoute(formatRoute(route))).toEqual(route);
      }),
    );
  });

  it('falls back to an empty search for anything it does not know', () => {
    for (const hash of ['', '#', '#/', '#/nonsense?min=7&a=item:&b=what', '#search?min=abc']) {
      expect(parseRoute(hash)).toEqual({ view: 'search' });
    }
  });
});
