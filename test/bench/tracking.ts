/**
 * The Siamese tracker beside plain template matching, on the two test sequences: `npm run bench:tracking [-- <model>]`.
 *
 * Every tracker gets the same decoded frames, the first box, and nothing else; no frame is given twice. Two short
 * sequences are a demonstration, not a benchmark claim.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { decodeFullSize, resolveModel } from '@lookalike/encoder';
import { type Box, type Frame, openTracker } from '@lookalike/tracking';
import { markdownTable } from './markdown-table.ts';
import { type TrackingFigures, trackingFigures } from './tracking/measures.ts';
import { ORACLES, oracleBoxes } from './tracking/oracle.ts';
import { type Sequence, testSequences } from './tracking/sequences.ts';
import { TemplateMatcher } from './tracking/template-matching.ts';

interface Contestant {
  name: string;
  start(frame: Frame, box: Box): Promise<void>;
  next(frame: Frame): Promise<Box>;
}

interface Run extends TrackingFigures {
  tracker: string;
  sequence: string;
  frames: number;
  /** By the clock; and by the processor time of this process, which other programs on the machine do not touch. */
  framesPerSecond: number;
  framesPerCoreSecond: number;
}

const STEPS = [0.95, 1, 1.05];

const sequences = testSequences();
if (sequences.length === 0) {
  console.log('skipped: no data (set LOOKALIKE_DATA)');
  process.exit(0);
}
const tracker = await openTracker(await resolveModel(process.argv[2] ?? 'tracking'));
const matching = (name: string, matcher: TemplateMatcher): Contestant => ({
  name,
  start: async (frame, box) => matcher.start(frame, box),
  next: async (frame) => matcher.next(frame),
});
const contestants: Contestant[] = [
  {
    name: `Siamese (${tracker.model.name})`,
    start: (frame, box) => tracker.start(frame, box),
    next: async (frame) => (await tracker.next(frame)).box,
  },
  matching('template matching, whole frame', new TemplateMatcher({ scales: [1], window: Infinity })),
  matching('template matching, near the last place', new TemplateMatcher({ scales: [1], window: 2 })),
  matching('template matching, near, 3 scales', new TemplateMatcher({ scales: STEPS, window: 2 })),
];

async function run(contestant: Contestant, { name, frames, truth }: Sequence): Promise<Run> {
  const read = (path: string) => decodeFullSize(readFileSync(path));
  const found: Box[] = [truth[0] as Box];
  const started = performance.now();
  const before = process.cpuUsage();
  await contestant.start(await read(frames[0] as string), truth[0] as Box);
  for (const path of frames.slice(1)) found.push(await contestant.next(await read(path)));
  const spent = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  return {
    tracker: contestant.name,
    sequence: name,
    frames: frames.length,
    ...trackingFigures(found, truth),
    framesPerSecond: frames.length / seconds,
    framesPerCoreSecond: (frames.length * 1e6) / (spent.user + spent.system),
  };
}

const runs: Run[] = [];
for (const sequence of sequences) {
  for (const contestant of contestants) {
    const one = await run(contestant, sequence);
    runs.push(one);
    console.error(`${one.sequence}, ${one.tracker}: success ${one.success.toFixed(3)}`);
  }
}
await tracker.close();

/** What the best tracker of a kind could reach: the ceiling of the figures above, so without a speed. */
const ceilings = sequences.flatMap(({ name, truth }) =>
  ORACLES.map((kept) => ({
    tracker: `oracle, ${kept}`,
    sequence: name,
    ...trackingFigures(oracleBoxes(truth, kept), truth),
  })),
);
const mean = <One extends { tracker: string }>(
  all: readonly One[],
  name: string,
  of: (one: One) => number,
) => {
  const own = all.filter(({ tracker: whose }) => whose === name);
  return own.reduce((sum, one) => sum + of(one), 0) / own.length;
};
const row = (
  cells: [string, string],
  one: Pick<TrackingFigures, 'success' | 'precision20'> &
    Partial<Pick<Run, 'framesPerSecond' | 'framesPerCoreSecond'>>,
) => [
  ...cells,
  one.success.toFixed(3),
  one.precision20.toFixed(3),
  one.framesPerSecond?.toFixed(1) ?? '',
  one.framesPerCoreSecond?.toFixed(1) ?? '',
];
const means = contestants.map(({ name }) => ({
  tracker: name,
  success: mean(runs, name, (one) => one.success),
  precision20: mean(runs, name, (one) => one.precision20),
  meanOverlap: mean(runs, name, (one) => one.meanOverlap),
  framesPerSecond: mean(runs, name, (one) => one.framesPerSecond),
  framesPerCoreSecond: mean(runs, name, (one) => one.framesPerCoreSecond),
}));
const ceilingMeans = ORACLES.map((kept) => {
  const tracker = `oracle, ${kept}`;
  return {
    tracker,
    success: mean(ceilings, tracker, (one) => one.success),
    precision20: mean(ceilings, tracker, (one) => one.precision20),
  };
});
const table = markdownTable(
  ['tracker', 'sequence', 'success', 'precision at 20 px', 'frames/s', 'frames per core second'],
  [
    ...[...runs, ...ceilings].map((one) => row([one.tracker, one.sequence], one)),
    ...[...means, ...ceilingMeans].map((one) => row([one.tracker, '**mean**'], one)),
  ],
);
const own = (means[0] as (typeof means)[number]).success;
const ratios = means
  .slice(1)
  .map(({ tracker: name, success }) => `${(own / success).toFixed(2)} times ${name}`);
const report = {
  model: tracker.model.name,
  cores: availableParallelism(),
  load: loadavg()[0],
  architecture: process.arch,
  node: process.version,
  runs,
  means,
  ceilings,
};
const text = `# Tracking

A demonstration on two short sequences (bag of VOT2016, ${sequences[0]?.frames.length} frames; crossing of OTB, ${sequences.at(-1)?.frames.length} frames), not a
benchmark claim. Success is the area under the curve of overlap with the axis-aligned box around the true one, precision the share of
frames whose middle is at most 20 pixels off; one pass from the first box. One core, ${report.cores} in the machine, load
${report.load?.toFixed(1)}, ${report.architecture}, Node ${report.node}; frames a second include decoding the JPEG files.

${table}

Mean success of the Siamese tracker: ${ratios.join(', ')}.

The oracles know the true boxes and always stand at the true middle: with the aspect of the first frame and the best size in
every frame, or with the first frame's box as it is. A perfect answer has a success of 0.952.
`;
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'tracking.json'), `${JSON.stringify(report, null, 2)}\n`);
writeFileSync(join(folder, 'tracking.md'), text);
console.log(text);
