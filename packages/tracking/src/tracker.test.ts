import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFullSize, resolveModel } from '@lookalike/encoder';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Film, makeFilm } from '../../../test/bench/tracking/made-up-film.ts';
import { trackingFigures } from '../../../test/bench/tracking/measures.ts';
import type { Box } from './box.ts';
import type { Frame } from './frame.ts';
import { openTracker, type Tracker } from './tracker.ts';

const MODEL = await resolveModel('tracking');
const picture = (name: string): Promise<Frame> =>
  decodeFullSize(readFileSync(join(import.meta.dirname, '../../../test/pictures', name)));

let tracker: Tracker;
let film: Film;
beforeAll(async () => {
  tracker = await openTracker(MODEL);
  film = makeFilm({
    width: 200,
    height: 150,
    frames: 14,
    background: await picture('coffee.jpg'),
    object: await picture('cat.jpg'),
    passer: await picture('rocket.jpg'),
    size: [48, 36],
    hardship: 0,
    seed: 'a film',
  });
});
afterAll(() => tracker.close());

const first = () => [film.frames[0] as Frame, film.boxes[0] as Box] as const;

async function follow(following: Tracker, frames: readonly (Frame | Uint8Array)[], box: Box) {
  await following.start(frames[0] as Frame, box);
  const found = [{ box, score: 1 }];
  for (const frame of frames.slice(1)) found.push(await following.next(frame));
  return found;
}

test('follows what moves over another picture', async () => {
  const found = await follow(tracker, film.frames, first()[1]);
  const figures = trackingFigures(
    found.map(({ box }) => box),
    film.boxes,
  );
  expect(figures.precision20).toBe(1);
  expect(figures.success).toBeGreaterThan(0.75);
  for (const { score } of found) expect(score).toBeGreaterThan(tracker.parameters.lostSimilarity);
});

test('follows what grows', async () => {
  const [frame, box] = first();
  const frames: Frame[] = [];
  for (let i = 0; i < 12; i++) {
    const side = { width: Math.round(200 / 1.03 ** i), height: Math.round(150 / 1.03 ** i) };
    const left = Math.round((box.x + box.width / 2) * (1 - side.width / 200));
    const top = Math.round((box.y + box.height / 2) * (1 - side.height / 150));
    const pixels = await sharp(frame.pixels, { raw: { width: 200, height: 150, channels: 3 } })
      .extract({ left, top, ...side })
      .resize(200, 150, { fit: 'fill' })
      .raw()
      .toBuffer();
    frames.push({ width: 200, height: 150, pixels });
  }
  const last = (await follow(tracker, frames, box)).at(-1) as { box: Box };
  expect(last.box.width / box.width).toBeGreaterThan(1.2);
  expect(last.box.width / box.width).toBeLessThan(1.6);
  expect(last.box.width / last.box.height).toBeCloseTo(box.width / box.height, 5);
});

test('picture files and decoded frames give the same boxes, again and again', async () => {
  const frames = film.frames.slice(0, 4);
  const files = await Promise.all(
    frames.map(({ pixels, width, height }) =>
      sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    ),
  );
  const fromFrames = await follow(tracker, frames, first()[1]);
  expect(await follow(tracker, files, first()[1])).toEqual(fromFrames);
});

test('a target that is gone scores below the threshold, keeps its box, and is found again', async () => {
  const [frame, box] = first();
  const away = await picture('grass.jpg');
  const pixels = await sharp(away.pixels, { raw: { width: away.width, height: away.height, channels: 3 } })
    .resize(200, 150, { fit: 'fill' })
    .raw()
    .toBuffer();
  await tracker.start(frame, box);
  const gone = await tracker.next({ width: 200, height: 150, pixels });
  expect(gone.score).toBeLessThan(tracker.parameters.lostSimilarity);
  expect(trackingFigures([gone.box], [box]).meanOverlap).toBeCloseTo(1, 6);
  const back = await tracker.next(frame);
  expect(back.score).toBeGreaterThan(0.8);
  expect(trackingFigures([back.box], [box]).meanOverlap).toBeGreaterThan(0.8);
});

describe('bad input', () => {
  const boxes: [string, Box, string][] = [
    ['outside', { x: 190, y: 10, width: 30, height: 30 }, '200 x 150'],
    ['negative', { x: -1, y: 10, width: 30, height: 30 }, 'not inside the frame'],
    ['too small', { x: 10, y: 10, width: 30, height: 2 }, 'at least 4 x 4'],
    ['not numbers', { x: 10, y: Number.NaN, width: 30, height: 20 }, 'NaN'],
  ];
  test.each(boxes)('a box %s', async (_, box, words) => {
    await expect(tracker.start(first()[0], box)).rejects.toMatchObject({
      code: 'bad-box',
      message: expect.stringContaining(words),
    });
  });

  test('a frame of another size', async () => {
    await tracker.start(...first());
    const other = { width: 150, height: 200, pixels: first()[0].pixels };
    await expect(tracker.next(other)).rejects.toMatchObject({
      code: 'mixed-frame-sizes',
      message: expect.stringMatching(/150 x 200.*200 x 150/),
    });
  });

  test('bytes that are no picture', async () => {
    await expect(tracker.start(Buffer.from('words'), first()[1])).rejects.toMatchObject({
      code: 'picture-unsupported-format',
    });
  });

  test('no start before next', async () => {
    const fresh = await openTracker(MODEL);
    await expect(fresh.next(first()[0])).rejects.toMatchObject({ code: 'not-started' });
    await fresh.close();
  });
});

describe('models', () => {
  test('a model without a search branch cannot track', async () => {
    await expect(openTracker(await resolveModel('near-duplicate'))).rejects.toMatchObject({
      code: 'not-a-tracking-model',
      message: expect.stringContaining('near-duplicate'),
    });
  });

  const broken: [string, (model: { tracking: Record<string, unknown> }) => void, string, string][] = [
    [
      'parameters are wrong',
      (m) => Object.assign(m.tracking, { stride: 0 }),
      'invalid-model',
      'tracking.stride',
    ],
    [
      'search file is another one',
      (m) => Object.assign(m.tracking.search as object, { sha256: '0'.repeat(64) }),
      'model-file-damaged',
      'search.onnx',
    ],
    [
      'search branch has other names',
      (m) => Object.assign(m.tracking.search as object, { templates: 'kernels' }),
      'invalid-model',
      'kernels',
    ],
  ];
  test.each(broken)('a model whose %s is refused', async (_, change, code, words) => {
    const folder = await mkdtemp(join(tmpdir(), 'lookalike-tracking-'));
    try {
      await cp(MODEL, folder, { recursive: true });
      const file = join(folder, 'model.json');
      const model = JSON.parse(await readFile(file, 'utf8'));
      change(model);
      await writeFile(file, JSON.stringify(model));
      await expect(openTracker(folder)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
