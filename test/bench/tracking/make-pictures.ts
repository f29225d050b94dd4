/**
 * Makes what the documentation shows, from the free pictures alone: `docs/images/tracking.webp`, and the tracker's worst films as
 * `models/tracking/failures.jpg` (found green or red, true white). `node test/bench/tracking/make-pictures.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFullSize, resolveModel } from '@lookalike/encoder';
import { type Box, type Frame, openTracker } from '@lookalike/tracking';
import sharp from 'sharp';
import { Random } from '../accuracy/random.ts';
import { type Film, makeFilm } from './made-up-film.ts';
import { overlap, trackingFigures } from './measures.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const NAMES = ['astronaut', 'cat', 'coffee', 'photographer', 'raccoon', 'rocket', 'stairs'];
const SIZE = { width: 320, height: 214 };
const FILMS = 12;
const WORST = 3;
const SHOWN = 4;

const picture = (name: string) => decodeFullSize(readFileSync(join(REPOSITORY, `test/pictures/${name}.jpg`)));
const raw = { raw: { ...SIZE, channels: 3 as const } };

async function makeAnimation(): Promise<void> {
  const { frames, boxes } = makeFilm({
    ...SIZE,
    frames: 50,
    background: await picture('coffee'),
    object: await picture('raccoon'),
    passer: await picture('cat'),
    size: [58, 48],
    hardship: 0.8,
    seed: 'demo',
  });
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-demo-'));
  try {
    for (const [i, { pixels }] of frames.entries())
      await sharp(pixels, raw)
        .jpeg({ quality: 92 })
        .toFile(join(folder, `${i}.jpg`));
    const { x, y, width, height } = boxes[0] as Box;
    const box = [x, y, width, height].map((value) => value.toFixed(1)).join(',');
    const out = join(REPOSITORY, 'docs/images/tracking.webp');
    const command = join(REPOSITORY, 'packages/cli/bin/lookalike.js');
    execFileSync(process.execPath, [command, 'track', folder, '--box', box, '--out', out], {
      stdio: 'ignore',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Tracked extends Film {
  found: { box: Box; score: number }[];
  success: number;
}

async function drawFailures(): Promise<void> {
  const tracker = await openTracker(await resolveModel('tracking'));
  const tracked: Tracked[] = [];
  for (let i = 0; i < FILMS; i++) {
    const random = new Random(`free film ${i}`);
    const film = makeFilm({
      ...SIZE,
      frames: 40,
      hardship: 1,
      seed: `free film ${i}`,
      size: [random.between(36, 64), random.between(36, 64)],
      background: await picture(random.pick(NAMES)),
      object: await picture(random.pick(NAMES)),
      passer: await picture(random.pick(NAMES)),
    });
    const first = film.boxes[0] as Box;
    await tracker.start(film.frames[0] as Frame, first);
    const found = [{ box: first, score: 1 }];
    for (const frame of film.frames.slice(1)) found.push(await tracker.next(frame));
    const boxes = found.map(({ box }) => box);
    tracked.push({ ...film, found, success: trackingFigures(boxes, film.boxes).success });
  }
  await tracker.close();
  tracked.sort((a, b) => a.success - b.success);
  console.log(`success of ${FILMS} films: ${tracked.map(({ success }) => success.toFixed(2)).join(' ')}`);
  const shots: Buffer[] = [];
  for (const film of tracked.slice(0, WORST)) {
    for (let i = 0; i < SHOWN; i++) {
      const at = Math.round((i * (film.frames.length - 1)) / (SHOWN - 1));
      shots.push(await drawn(film, at));
    }
  }
  const file = join(REPOSITORY, 'models/tracking/failures.jpg');
  await sharp(shots, { join: { across: SHOWN, shim: 4, background: '#fff' } })
    .jpeg({ quality: 80 })
    .toFile(file);
}

function drawn({ frames, boxes, found }: Tracked, at: number): Promise<Buffer> {
  const truth = boxes[at] as Box;
  const { box } = found[at] as { box: Box };
  const colour = overlap(truth, box) >= 0.5 ? '#39d353' : '#ff3b30';
  const rectangle = (b: Box, stroke: string) =>
    `<rect x="${b.x}" y="${b.y}" width="${b.width}" height="${b.height}" fill="none" stroke="${stroke}" stroke-width="2"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}">${rectangle(truth, '#fff')}${rectangle(box, colour)}</svg>`;
  return sharp((frames[at] as Frame).pixels, raw)
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}

await makeAnimation();
await drawFailures();
