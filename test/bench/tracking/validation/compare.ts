/**
 * Compares sets of tracker parameters on one half of the validation films: `node
 * test/bench/tracking/validation/compare.ts <choose|confirm> [<model>] [<parameters as JSON> ...]`. Fetch the films
 * first with `get-films.ts`. The test sequences are never read here.
 */
import { readFileSync } from 'node:fs';
import { decodeFullSize, resolveModel } from '@lookalike/encoder';
import { type Box, openTracker, type Tracker, type TrackingParameters } from '@lookalike/tracking';
import { markdownTable } from '../../markdown-table.ts';
import { type TrackingFigures, trackingFigures } from '../measures.ts';
import { ORACLES, oracleBoxes } from '../oracle.ts';
import { HALVES, type ValidationTarget, validationTargets } from './films.ts';

const [half, model = 'tracking', ...sets] = process.argv.slice(2);
if (!HALVES.some((one) => one === half)) throw new Error(`choose one of ${HALVES.join(', ')}`);
const targets = validationTargets().filter((target) => target.half === half);
if (targets.length === 0) throw new Error('no films: run get-films.ts first');

/** Over the annotated frames but the first, whose box is given. */
function measured(found: ReadonlyMap<number, Box>, { truth }: ValidationTarget): TrackingFigures {
  const later = [...truth].filter(([frame]) => frame > 0);
  return trackingFigures(
    later.map(([frame]) => found.get(frame) as Box),
    later.map(([, box]) => box),
  );
}

async function follow(tracker: Tracker, target: ValidationTarget): Promise<TrackingFigures> {
  const read = (path: string) => decodeFullSize(readFileSync(path));
  const [first, ...later] = target.frames;
  await tracker.start(await read(first as string), target.truth.get(0) as Box);
  const found = new Map<number, Box>();
  for (const [i, path] of later.entries()) found.set(i + 1, (await tracker.next(await read(path))).box);
  return measured(found, target);
}

const rows: string[][] = [];
function report(name: string, figures: TrackingFigures[], framesPerCoreSecond = ''): void {
  const mean = (of: (one: TrackingFigures) => number) =>
    (figures.reduce((sum, one) => sum + of(one), 0) / figures.length).toFixed(3);
  const each = figures.map(({ success }) => success.toFixed(3));
  rows.push([name, mean((one) => one.success), ...each, framesPerCoreSecond]);
  console.error(rows.at(-1)?.join('  '));
}

for (const kept of ORACLES) {
  const boxes = (target: ValidationTarget) => oracleBoxes([...target.truth.values()], kept);
  const found = (target: ValidationTarget) =>
    new Map([...target.truth.keys()].map((frame, i) => [frame, boxes(target)[i] as Box]));
  report(
    `oracle, ${kept}`,
    targets.map((target) => measured(found(target), target)),
  );
}
const frames = targets.reduce((sum, target) => sum + target.frames.length, 0);
for (const set of sets.length > 0 ? sets : ['{}']) {
  const parameters = JSON.parse(set) as Partial<TrackingParameters>;
  const tracker = await openTracker(await resolveModel(model), { parameters });
  const before = process.cpuUsage();
  const figures: TrackingFigures[] = [];
  for (const target of targets) figures.push(await follow(tracker, target));
  const { user, system } = process.cpuUsage(before);
  await tracker.close();
  report(set, figures, ((frames * 1e6) / (user + system)).toFixed(1));
}
console.log(
  markdownTable(
    ['parameters', 'success', ...targets.map(({ name }) => name), 'frames per core second'],
    rows,
  ),
);
