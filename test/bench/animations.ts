/**
 * Which copies of animations run alike with what they were made of, and which different ones do: `npm run bench:animations`. Writes results/animations.{json,md}.
 *
 * What the rule of `runAlike` was chosen by. Animations are cuts of the films of the research data, and pans over the pictures of
 * the tests that fade into each other, in and out. Different ones are compared in all forms; cuts that overlap in time are counted apart,
 * as those that begin at one frame are copies at another rate.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { frameHashes } from '@lookalike/encoder';
import sharp from 'sharp';
import { type AnimationCourse, animationCourse, runAlike } from '../../packages/duplicates/src/animations.ts';
import { animatedGif, animation, madeFrames, resized } from '../made-animation.ts';
import { markdownTable } from './markdown-table.ts';

const FILMS = { bag: 'bag', crossing: 'crossing/img', tennis: 'tennis' };
const [WIDTH, HEIGHT] = [300, 200];
const BETWEEN_STARTS = 40;

const data = process.env.LOOKALIKE_DATA ?? join(import.meta.dirname, '../../../shared/data');
if (!existsSync(join(data, 'tracking'))) {
  console.log(`skipped: no data (looked in ${data}; set LOOKALIKE_DATA)`);
  process.exit(0);
}

interface Original {
  film: string;
  /** In the film. */
  from: number;
  to: number;
  frames: Buffer[];
}

async function* cuts(): AsyncGenerator<Original> {
  for (const [film, folder] of Object.entries(FILMS)) {
    const path = join(data, 'tracking', folder);
    const files = readdirSync(path)
      .filter((name) => name.endsWith('.jpg'))
      .sort();
    const all = await Promise.all(
      files.map((name) => sharp(join(path, name)).resize(WIDTH, HEIGHT, { fit: 'fill' }).png().toBuffer()),
    );
    for (const count of [12, 40])
      for (const step of [1, 2])
        for (let from = 0, to = count * step; to <= all.length; from += BETWEEN_STARTS, to += BETWEEN_STARTS)
          yield { film, from, to, frames: all.slice(from, to).filter((_, n) => n % step === 0) };
  }
}

async function* fades(): AsyncGenerator<Original> {
  const folder = join(import.meta.dirname, '../pictures');
  const pictures = readdirSync(folder)
    .filter((name) => /\.(jpg|png)$/.test(name))
    .map((name) => join(folder, name));
  for (const [number, picture] of pictures.slice(1).entries()) {
    const [first, second] = (await Promise.all(
      [pictures[number] as string, picture].map((path) => madeFrames(path, 24)),
    )) as [Buffer[], Buffer[]];
    const frames = await Promise.all(
      first.map(async (frame, n) => {
        const share = Math.min(1, Math.max(0, (n / 23 - 0.4) * 5));
        const input = await sharp(second[n]).ensureAlpha(share).png().toBuffer();
        const mixed = await sharp(frame).composite([{ input }]).removeAlpha().png().toBuffer();
        const light = n === 0 ? 1 : Math.min(1, Math.max(0.05, n / 4), Math.max(0.03, (23 - n) / 4));
        return sharp(mixed).linear(light, 0).png().toBuffer();
      }),
    );
    yield { film: picture, from: 0, to: 1, frames };
  }
}

const every = (step: number) => (frames: Buffer[]) => animatedGif(frames.filter((_, n) => n % step === 0));
const FORMS: Record<string, (gif: Buffer, frames: Buffer[]) => Promise<Buffer>> = {
  'GIF, half the size': (gif) =>
    resized(gif, WIDTH / 2)
      .gif()
      .toBuffer(),
  'GIF, 32 colours': (gif) => resized(gif, WIDTH).gif({ colours: 32, dither: 0 }).toBuffer(),
  'GIF, 16 colours, a third of the size': (gif) =>
    resized(gif, WIDTH / 3)
      .gif({ colours: 16 })
      .toBuffer(),
  'WebP of the frames, quality 75': (_, frames) => animation(frames).webp({ quality: 75 }).toBuffer(),
  'WebP, quality 50': (gif) => resized(gif, WIDTH).webp({ quality: 50 }).toBuffer(),
  'WebP, quality 40, half the size': (gif) =>
    resized(gif, WIDTH / 2)
      .webp({ quality: 40 })
      .toBuffer(),
  'WebP, quality 10': (gif) => resized(gif, WIDTH).webp({ quality: 10 }).toBuffer(),
  'every second frame, half the size': async (_, frames) =>
    resized(await every(2)(frames), WIDTH / 2)
      .webp({ quality: 50 })
      .toBuffer(),
  'every third frame': (_, frames) => every(3)(frames),
};

async function courseOf(bytes: Buffer): Promise<AnimationCourse> {
  const { pages = 1 } = await sharp(bytes).metadata();
  const hashes = await frameHashes(bytes);
  return animationCourse({ frames: pages, ...(hashes && { frameHashes: hashes }) });
}

interface Compared extends Original {
  /** As it was made, then of each form. */
  courses: AnimationCourse[];
}

const compared: Compared[] = [];
for (const originals of [cuts(), fades()])
  for await (const original of originals) {
    const gif = await animatedGif(original.frames);
    const courses = [await courseOf(gif)];
    for (const make of Object.values(FORMS)) courses.push(await courseOf(await make(gif, original.frames)));
    compared.push({ ...original, courses });
    process.stderr.write(`${compared.length} animations\n`);
  }

const isLong = ({ frames }: Compared) => frames.length >= 16;
const found = (form: number, among: Compared[]) =>
  among.filter(({ courses: [first, ...copies] }) =>
    runAlike(first as AnimationCourse, copies[form] as AnimationCourse),
  ).length;
const long = compared.filter(isLong);
const copies = Object.keys(FORMS).map((copy, form) => ({
  copy,
  runAlike: found(form, compared),
  runAlikeOfLong: found(form, long),
}));

const KINDS = ['different films', 'other times of a film', 'overlapping times of a film'] as const;
const different = KINDS.map((kind) => ({ kind, pairs: 0, runAlike: 0 }));
for (const [number, a] of compared.entries())
  for (const b of compared.slice(0, number)) {
    const count = different[
      a.film !== b.film ? 0 : a.to <= b.from || b.to <= a.from ? 1 : 2
    ] as (typeof different)[0];
    for (const one of a.courses)
      for (const other of b.courses) {
        count.pairs++;
        if (runAlike(one, other)) count.runAlike++;
      }
  }
const text = `${[
  '# Animations',
  'How many copies of animations run alike with the original, by the hashes of their frames alone, and how many different animations do.',
  markdownTable(
    ['copy', `of ${compared.length}`, `of the ${long.length} with 16 frames and more`],
    copies.map((one) => [one.copy, `${one.runAlike}`, `${one.runAlikeOfLong}`]),
  ),
  markdownTable(
    ['pairs of different ones, in all forms', 'compared', 'run alike'],
    different.map((one) => [one.kind, `${one.pairs}`, `${one.runAlike}`]),
  ),
].join('\n\n')}\n`;
console.log(text);
const results = join(import.meta.dirname, 'results');
writeFileSync(join(results, 'animations.md'), text);
const { node } = process.versions;
const figures = {
  node,
  sharp: sharp.versions,
  animations: compared.length,
  long: long.length,
  copies,
  different,
};
writeFileSync(join(results, 'animations.json'), `${JSON.stringify(figures, null, 2)}\n`);
