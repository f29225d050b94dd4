import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { inPerspective } from './perspective.ts';
import { readPixels, TRANSFORMATIONS, transform } from './transformations.ts';

const picture = (name: string) => readFileSync(join(import.meta.dirname, '../../pictures', name));
const cat = await readPixels(picture('cat.jpg'));
const others = await Promise.all(
  ['coffee.jpg', 'rocket.jpg', 'stairs.jpg'].map((name) => readPixels(picture(name))),
);

test.each(TRANSFORMATIONS)(
  '$name: the same picture every time, and another than before',
  async (transformation) => {
    const copy = await transform(transformation, 'cat.jpg', cat, others);
    expect(await transform(transformation, 'cat.jpg', cat, others)).toEqual(copy);
    const { data, info } = await sharp(copy).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBeLessThanOrEqual(3);
    expect(Buffer.from(data).equals(Buffer.from(cat.data))).toBe(false);
  },
);

test('names of transformations are keys of the report', () => {
  const names = TRANSFORMATIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('where a copy is cut depends on the name of the picture', async () => {
  const crop = TRANSFORMATIONS.find(({ name }) => name === 'crop to 50%') as (typeof TRANSFORMATIONS)[number];
  const [one, two] = [await transform(crop, 'one', cat, others), await transform(crop, 'two', cat, others)];
  expect(one.equals(two)).toBe(false);
});

test('perspective: corners that stay change nothing; a corner that moves takes its pixels along', () => {
  const { width, height } = cat;
  const same = inPerspective(
    cat,
    [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ],
    255,
  );
  expect(Buffer.from(same.data).equals(Buffer.from(cat.data))).toBe(true);
  const colours = [10, 60, 110, 160];
  const quadrants = Uint8Array.from({ length: 100 * 80 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 100, Math.floor(i / 300)];
    return colours[(y < 40 ? 0 : 2) + (x < 50 ? 0 : 1)] as number;
  });
  const moved = inPerspective(
    { data: quadrants, width: 100, height: 80 },
    [
      [30, 20],
      [95, 5],
      [90, 70],
      [10, 75],
    ],
    255,
  );
  const at = (x: number, y: number) => moved.data[(y * 100 + x) * 3];
  expect([at(33, 23), at(92, 9), at(14, 72), at(86, 67)]).toEqual(colours);
  expect([at(2, 2), at(98, 78)]).toEqual([255, 255]);
});
