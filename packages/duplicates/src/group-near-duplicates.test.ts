import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DuplicateItem, type GroupOptions, groupNearDuplicates } from './index.ts';
import { columns, file } from './test-items.ts';

/** Groups by key, to compare results of differently ordered inputs. */
function grouped(
  items: DuplicateItem[],
  pairs: readonly (readonly [number, number, number])[],
  options?: GroupOptions,
) {
  const key = (index: number) => items[index]?.key as string;
  return groupNearDuplicates(items, columns(pairs), options).map((group) => ({
    keep: key(group.keep),
    reason: group.reason,
    members: group.members.map(({ index, kind, similarity, by }) => ({
      key: key(index),
      kind,
      similarity,
      ...(by === 'perceptual-hash' && { by }),
    })),
    weakest: {
      between: [key(group.weakest.a), key(group.weakest.b)].sort(),
      similarity: group.weakest.similarity,
    },
  }));
}

const keysOf = (groups: ReturnType<typeof grouped>) =>
  groups.map((group) => group.members.map(({ key }) => key).sort());

describe('groups', () => {
  test('have no two animations that begin alike, not even by a still that both begin with', () => {
    const items = [
      file('a.gif', { frames: 3, pixelHash: 'one' }),
      file('a.webp', { frames: 3, pixelHash: 'one' }),
      file('b.gif', { frames: 3, pixelHash: 'other' }),
      file('c.png', { frames: 5 }),
      file('still'),
    ];
    const all = items.flatMap((_, a) => items.slice(a + 1).map((_, b) => [a, a + 1 + b, 1] as const));
    const expected = [['a.gif', 'a.webp', 'still']];
    expect(keysOf(grouped(items, all))).toEqual(expected);
    const hashes = { pairs: columns(all), similarity: () => 1 };
    expect(keysOf(grouped(items, all, { hashes }))).toEqual(expected);
    expect(keysOf(grouped(items, [], { hashes }))).toEqual(expected);
    // A verdict parts two files of the same frames, and no third one from them.
    const [x, y, z] = ['x', 'y', 'z'].map((key) => file(key, { frames: 2, pixelHash: 'one' }));
    const different = (a: string, b: string) => a !== b && !`${a}${b}`.includes('bytes of z');
    expect(keysOf(grouped([x, y, z] as DuplicateItem[], [], { different }))).toEqual([['x', 'z']]);
  });

  test('have animations that run alike: within 63 bits all along, 31 on average, and pages within 31', () => {
    const hash = (bits: number) => ((1n << BigInt(bits)) - 1n).toString(16).padStart(64, '0');
    // At every place bits in which the counted frame and the timed ones differ from those of the first.
    const film = (key: string, places: number[][], more: Partial<DuplicateItem> = {}) =>
      file(key, { frames: 30, frameHashes: places.map((bits) => bits.map(hash).join('')), ...more });
    const together = (places: number[][], more: Partial<DuplicateItem> = {}) => {
      const first = film('first', Array(8).fill([0, 0, 0]), { page: more.page });
      return grouped([first, film('other', places, more)], [[0, 1, 0.99]]).length === 1;
    };
    const all = (bits: number[]) => Array(8).fill(bits);
    const half = (bits: number[], others: number[]) => [...Array(4).fill(bits), ...Array(4).fill(others)];
    expect(together(all([31, 200, 200]))).toBe(true);
    expect(together(all([32, 0, 0]))).toBe(false);
    expect(together(half([0, 0, 0], [62, 0, 0]))).toBe(true);
    expect(together([...all([0, 0, 0]).slice(1), [64, 0, 0]])).toBe(false);
    expect(together([...all([0, 0, 0]).slice(1), [32, 0, 0]], { page: true })).toBe(false);
    expect(together(all([31, 0, 0]), { page: true })).toBe(true);
    // Of other numbers of frames one of those that are shown at that time.
    expect(together(all([200, 200, 31]), { frames: 20 })).toBe(true);
    expect(together(all([0, 200]), { frames: 12 })).toBe(false);
    expect(together([], {})).toBe(false);
  });

  test('hold what agrees in its perceptual hash together as one, which is said, but never blank pictures', () => {
    const items = [
      file('a', { bytes: 2000 }),
      file('b'),
      file('c'),
      file('d', { lowInformation: true }),
      file('e'),
    ];
    // a, b and c agree in their hashes; of a chain from c to e nothing is carried over; the blank one agrees with nobody.
    const hashes = {
      pairs: columns([
        [0, 1, 0.5],
        [0, 2, 0.9375],
        [1, 2, 0.4375],
        [0, 3, 0.5],
        [2, 4, 0.25],
      ]),
      similarity: () => 0.125,
    };
    const [group, ...others] = grouped(items, [[0, 2, 0.9375]], { hashes });
    expect(others).toEqual([]);
    expect(group?.members).toEqual([
      { key: 'a', kind: 'exact', similarity: 1 },
      { key: 'c', kind: 'near', similarity: 0.9375 },
      { key: 'b', kind: 'near', similarity: 0.125, by: 'perceptual-hash' },
    ]);
    expect(group?.weakest).toEqual({ between: ['b', 'c'], similarity: 0.4375 });

    // A crop is alike to c only, but c stands for a and b as well.
    const crop = [...items, file('crop')];
    const [wider] = grouped(crop, [[2, 5, 0.875]], { hashes });
    expect(wider?.members.map(({ key, by }) => `${key} ${by ?? ''}`)).toEqual([
      'a ',
      'b perceptual-hash',
      'c perceptual-hash',
      'crop perceptual-hash',
    ]);
    expect(keysOf(grouped(crop, [[2, 5, 0.875]]))).toEqual([['c', 'crop']]);

    const different = (a: string, b: string) => a === 'bytes of b' || b === 'bytes of b';
    expect(keysOf(grouped(items, [[0, 2, 0.9375]], { hashes, different }))).toEqual([['a', 'c']]);
  });

  test('are not chained: the ends of a chain stay apart', () => {
    const items = [file('a'), file('b'), file('c')];
    const groups = grouped(items, [
      [0, 1, 0.95],
      [1, 2, 0.94],
    ]);
    expect(keysOf(groups)).toEqual([['a', 'b']]);
  });

  test('join clusters where all pairs between them are there, and name the weakest', () => {
    const items = ['a', 'b', 'c', 'd'].map((key) => file(key));
    const groups = grouped(items, [
      [0, 1, 0.99],
      [2, 3, 0.98],
      [0, 2, 0.9375],
      [0, 3, 0.9375],
      [1, 2, 0.9375],
      [1, 3, 0.875],
    ]);
    expect(keysOf(groups)).toEqual([['a', 'b', 'c', 'd']]);
    expect(groups[0]?.weakest).toEqual({ between: ['b', 'd'], similarity: 0.875 });
  });

  test('tell the same bytes, the same pixels and near pictures apart, against the kept one', () => {
    const items = [
      file('copy.jpg', { contentHash: 'x', bytes: 2000, modified: 2 }),
      file('original.jpg', { contentHash: 'x', bytes: 2000, modified: 1 }),
      file('same.png', { pixelHash: 'p', bytes: 9000, modified: 3 }),
      file('small.jpg', { width: 50, height: 50, bytes: 500 }),
    ];
    (items[0] as DuplicateItem).pixelHash = 'p';
    const [group] = grouped(items, [
      [0, 2, 1],
      [0, 3, 0.9375],
      [1, 3, 0.9375],
      [2, 3, 0.875],
    ]);
    expect(group?.keep).toBe('original.jpg');
    expect(group?.members).toEqual([
      { key: 'original.jpg', kind: 'exact', similarity: 1 },
      { key: 'copy.jpg', kind: 'exact', similarity: 1 },
      { key: 'same.png', kind: 'pixels', similarity: 1 },
      { key: 'small.jpg', kind: 'near', similarity: 0.9375 },
    ]);
  });

  test('hold pictures of low information together by bytes and pixels only', () => {
    const blank = { lowInformation: true };
    const items = [
      file('a', { ...blank, contentHash: 'same' }),
      file('b', { ...blank, contentHash: 'same' }),
      file('c', { ...blank, pixelHash: 'white' }),
      file('d', { ...blank, pixelHash: 'white' }),
      file('e', blank),
    ];
    const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3, 4].slice(a + 1).map((b) => [a, b, 1] as const));
    expect(keysOf(grouped(items, pairs))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  test('honour a verdict that two files are different, between near ones and between the same pixels', () => {
    const different = (a: string, b: string) => [a, b].sort().join() === 'x,y';
    const near = [file('1', { contentHash: 'x' }), file('2', { contentHash: 'y' }), file('3')];
    const all = [
      [0, 1, 0.99],
      [0, 2, 0.98],
      [1, 2, 0.97],
    ] as const;
    expect(keysOf(grouped(near, all))).toEqual([['1', '2', '3']]);
    expect(keysOf(grouped(near, all, { different }))).toEqual([['1', '3']]);
    const pixels = near.map((item) => ({ ...item, pixelHash: 'p' }));
    expect(keysOf(grouped(pixels, []))).toEqual([['1', '2', '3']]);
    expect(keysOf(grouped(pixels, [], { different }))).toEqual([['1', '3']]);
  });

  test('refuse two items with one key', () => {
    expect(() => grouped([file('a'), file('a')], [])).toThrow(
      expect.objectContaining({ code: 'duplicate-key' }),
    );
  });
});

describe('the one to keep', () => {
  const keptOf = (...items: DuplicateItem[]) => {
    const all = items.flatMap((_, a) => items.slice(a + 1).map((_, b) => [a, a + 1 + b, 0.99] as const));
    const [group] = grouped(items, all);
    return [group?.keep, group?.reason];
  };

  test('has the highest resolution, then the most bytes, then is the oldest, then comes first', () => {
    expect(keptOf(file('a', { bytes: 9000 }), file('b', { width: 101 }))).toEqual([
      'b',
      'highest resolution',
    ]);
    expect(keptOf(file('a'), file('b', { bytes: 1001, modified: 5 }))).toEqual([
      'b',
      'same resolution, most bytes',
    ]);
    expect(keptOf(file('a', { modified: 5 }), file('b', { modified: 4 }))).toEqual([
      'b',
      'same resolution and bytes, oldest picture',
    ]);
    expect(keptOf(file('b'), file('a'))).toEqual(['a', 'all else equal, first path']);
  });

  test('has the most frames, whatever else: a still is part of the animation', () => {
    const animation = file('a', { frames: 3, width: 50, modified: 5 });
    expect(keptOf(file('b', { frames: 1 }), animation, file('c'))).toEqual(['a', 'most frames']);
  });

  test('is not a blurred copy, however many bytes it has', () => {
    const original = file('b', { sharpness: 0.2, bytes: 1000 });
    const blurred = file('a', { sharpness: 0.12, bytes: 5000 });
    expect(keptOf(original, blurred)).toEqual(['b', 'same resolution, clearly sharper']);
    expect(keptOf(original, file('a', { sharpness: 0.15, bytes: 5000 }))).toEqual([
      'a',
      'same resolution, most bytes',
    ]);
    expect(keptOf(original, { ...blurred, width: 200 })).toEqual(['a', 'highest resolution']);
    // Where it is not known of one, it decides nothing.
    expect(keptOf(original, file('a', { bytes: 5000 }))[0]).toBe('a');
  });

  test('is not the same picture packed in more bytes', () => {
    const jpeg = file('a.jpg', { pixelHash: 'p', bytes: 3000, modified: 1 });
    const png = file('b.png', { pixelHash: 'p', bytes: 9000, modified: 2 });
    const finer = file('c.jpg', { bytes: 4000, modified: 3 });
    expect(keptOf(png, jpeg)).toEqual(['a.jpg', 'same picture, oldest file']);
    expect(keptOf(png, jpeg, finer)).toEqual(['c.jpg', 'same resolution, most bytes']);
  });
});

describe('whatever the pictures', () => {
  const hash = fc.constantFrom('h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6');
  const scene = fc
    .array(fc.record({ content: hash, low: fc.boolean(), size: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 1,
      maxLength: 12,
    })
    .chain((files) =>
      fc.record({
        items: fc.constant(
          files.map(({ content, low, size }, index) =>
            file(`k${index}`, {
              contentHash: content,
              // What is decoded follows from the bytes: h5 and h6 hold the same pixels.
              ...(content >= 'h4' && { pixelHash: content === 'h4' ? 'p4' : 'p5' }),
              width: size,
              lowInformation: low && content === 'h3',
            }),
          ),
        ),
        // Similarities in sixteenths, so that ties are common.
        pairs: fc.uniqueArray(
          fc.tuple(
            fc.nat(files.length - 1),
            fc.nat(files.length - 1),
            fc.integer({ min: 8, max: 15 }).map((n) => n / 16),
          ),
          { maxLength: 60, selector: ([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}` },
        ),
        verdicts: fc.array(fc.tuple(hash, hash), { maxLength: 3 }),
      }),
    )
    .map(({ items, pairs, verdicts }) => ({
      items,
      pairs: pairs
        .filter(([a, b]) => a !== b)
        .map(([a, b, similarity]) => [Math.min(a, b), Math.max(a, b), similarity] as const),
      different: (a: string, b: string) =>
        a !== b && verdicts.some(([x, y]) => (a === x && b === y) || (a === y && b === x)),
    }));

  test('the groups do not depend on the order of files or pairs', () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), ({ items, pairs, different }, random) => {
        const shuffled = (length: number) => {
          const order = Array.from({ length }, (_, index) => ({ index, by: random.next().value as number }));
          return order.sort((a, b) => a.by - b.by || b.index - a.index).map(({ index }) => index);
        };
        const order = shuffled(items.length);
        const position = new Map(order.map((old, now) => [old, now]));
        const moved = (list: readonly (readonly [number, number, number])[]) =>
          shuffled(list.length).map((pair) => {
            const [a, b, similarity] = list[pair] as readonly [number, number, number];
            const ends = [position.get(a) as number, position.get(b) as number] as const;
            return [Math.min(...ends), Math.max(...ends), similarity] as const;
          });
        // Every third pair is one of hashes.
        const near = pairs.filter((_, pair) => pair % 3 > 0);
        const agreeing = pairs.filter((_, pair) => pair % 3 === 0);
        const options = (list: readonly (readonly [number, number, number])[]): GroupOptions => ({
          different,
          hashes: { pairs: columns(list), similarity: () => 0.25 },
        });
        expect(
          grouped(
            order.map((old) => items[old] as DuplicateItem),
            moved(near),
            options(moved(agreeing)),
          ),
        ).toEqual(grouped(items, near, options(agreeing)));
      }),
      { numRuns: 400 },
    );
  });

  test('every two pictures of a group are a pair, same bytes are always together, verdicts hold', () => {
    fc.assert(
      fc.property(scene, ({ items, pairs, different }) => {
        const groups = groupNearDuplicates(items, columns(pairs), { different });
        const groupOf = new Map(
          groups.flatMap((group, number) => group.members.map(({ index }) => [index, number])),
        );
        const at = (index: number) => items[index] as DuplicateItem;
        const samePixels = (a: DuplicateItem, b: DuplicateItem) =>
          a.contentHash === b.contentHash || (a.pixelHash !== undefined && a.pixelHash === b.pixelHash);
        const usable = pairs.filter(([a, b]) => !at(a).lowInformation && !at(b).lowInformation);
        const together = (a: number, b: number) =>
          groupOf.get(a) !== undefined && groupOf.get(a) === groupOf.get(b);

        for (const [a, first] of items.entries()) {
          for (const [b, second] of items.entries()) {
            if (a >= b) continue;
            if (first.contentHash === second.contentHash) expect(together(a, b)).toBe(true);
            if (!together(a, b)) continue;
            expect(different(first.contentHash, second.contentHash)).toBe(false);
            const paired = usable.some(
              ([x, y]) =>
                (samePixels(at(x), first) && samePixels(at(y), second)) ||
                (samePixels(at(x), second) && samePixels(at(y), first)),
            );
            expect(samePixels(first, second) || paired).toBe(true);
          }
        }
        for (const group of groups) {
          expect(group.members.length).toBeGreaterThan(1);
          expect(group.members[0]?.index).toBe(group.keep);
          for (const member of group.members)
            if (member.kind === 'near')
              expect(member.similarity).toBeGreaterThanOrEqual(group.weakest.similarity);
        }
        expect(groupOf.size).toBe(groups.reduce((sum, group) => sum + group.members.length, 0));
      }),
      { numRuns: 400 },
    );
  });
});
