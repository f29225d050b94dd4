/**
 * Compares sets of tracker parameters on made-up films, from pictures that no model was trained on: `node
 * test/bench/tracking/tune.ts [<model>] [<parameters as JSON> ...]`. The test sequences are never read here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFullSize, resolveModel } from '@lookalike/encoder';
import { type Box, type Frame, openTracker, type TrackingParameters } from '@lookalike/tracking';
import { Random } from '../accuracy/random.ts';
import { markdownTable } from '../markdown-table.ts';
import { type Film, makeFilm } from './made-up-film.ts';
import { type TrackingFigures, trackingFigures } from './measures.ts';
import { dataFolder } from './sequences.ts';

const FILMS = 6;
const FRAMES = 30;

/** Every fifth picture of the training data, as `lookalike_training/data/splits.py` cuts it. */
function validationPictures(): { objects: string[]; backgrounds: string[] } {
  const data = dataFolder();
  const everyFifth = (files: string[]) => files.filter((_, i) => i % 5 === 0);
  const inFolder = (folder: string) => readdirSync(join(data, folder)).sort();
  const caltech = inFolder('caltech101')
    .filter((name) => name !== 'Faces_easy')
    .flatMap((name) =>
      readdirSync(join(data, 'caltech101', name))
        .filter((file) => file.endsWith('.jpg'))
        .sort()
        .map((file) => join('caltech101', name, file)),
    );
  const photos = inFolder('photos').slice(0, 200);
  return {
    objects: everyFifth(caltech).map((file) => join(data, file)),
    backgrounds: everyFifth(photos).map((file) => join(data, 'photos', file)),
  };
}

async function makeFilms(): Promise<Film[]> {
  const { objects, backgrounds } = validationPictures();
  const films: Film[] = [];
  for (let i = 0; i < FILMS; i++) {
    const random = new Random(`film ${i}`);
    const read = (files: string[]): Promise<Frame> => decodeFullSize(readFileSync(random.pick(files)));
    const area = random.between(24, 60);
    const stretch = Math.exp(random.between(-0.5, 0.5));
    films.push(
      makeFilm({
        width: 256,
        height: 192,
        frames: FRAMES,
        hardship: random.between(0.7, 1),
        seed: `film ${i}`,
        background: await read(backgrounds),
        object: await read(objects),
        passer: await read(objects),
        size: [area * stretch, area / stretch],
      }),
    );
  }
  return films;
}

const [model = 'tracking', ...sets] = process.argv.slice(2);
const films = await makeFilms();
const rows: string[][] = [];
for (const set of sets.length > 0 ? sets : ['{}']) {
  const parameters = JSON.parse(set) as Partial<TrackingParameters>;
  const tracker = await openTracker(await resolveModel(model), { parameters });
  const figures: TrackingFigures[] = [];
  for (const { frames, boxes } of films) {
    const found: Box[] = [boxes[0] as Box];
    await tracker.start(frames[0] as Frame, boxes[0] as Box);
    for (const frame of frames.slice(1)) found.push((await tracker.next(frame)).box);
    figures.push(trackingFigures(found, boxes));
  }
  await tracker.close();
  const mean = (of: (one: TrackingFigures) => number) =>
    (figures.reduce((sum, one) => sum + of(one), 0) / figures.length).toFixed(3);
  const row = [set, mean((one) => one.success), mean((one) => one.precision20)];
  rows.push([...row, figures.map(({ success }) => success.toFixed(2)).join(' ')]);
  console.error(rows.at(-1)?.join('  '));
}
console.log(markdownTable(['parameters', 'success', 'precision at 20 px', 'success a film'], rows));
