/**
 * Pictures a second from bytes to embedding, and where the time goes: `npm run bench:encode [-- <model>]`.
 *
 * Every round measures the bare session first (one thread, tensors ready) and the encoder right after it; the ratios are
 * medians over rounds of such pairs, so that they hold on a machine that others use too.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_MODEL, decodePicture, openEncoder, resolveModel } from '@lookalike/encoder';
import * as ort from 'onnxruntime-web';
import { createPreprocessor } from '../../packages/encoder/src/preprocess.ts';
import { markdownTable } from './markdown-table.ts';

const ROUNDS = 5;
const PICTURES = 40;
const REPOSITORY = join(import.meta.dirname, '../..');

function readPictures(): { from: string; pictures: Buffer[] } {
  const photos = join(process.env.LOOKALIKE_DATA ?? join(REPOSITORY, '../shared/data'), 'photos');
  const [folder, from] = existsSync(photos)
    ? [photos, 'photos of the research data, median 500 x 375']
    : [join(REPOSITORY, 'test/pictures'), 'test/pictures (no research data found)'];
  const names = readdirSync(folder)
    .filter((name) => /\.(jpg|png)$/.test(name))
    .sort();
  const pictures = Array.from({ length: PICTURES }, (_, i) =>
    readFileSync(join(folder, names[i % names.length] as string)),
  );
  return { from, pictures };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const modelDirectory = await resolveModel(process.argv[2]);
const { from, pictures } = readPictures();
const many = Math.max(2, Math.min(availableParallelism(), 4));
const encoders = [
  { threads: 1, encoder: await openEncoder(modelDirectory, { threads: 1 }) },
  { threads: many, encoder: await openEncoder(modelDirectory, { threads: many }) },
];
const { model } = (encoders[0] as (typeof encoders)[number]).encoder;

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(join(modelDirectory, model.file)), {
  executionProviders: ['wasm'],
  logSeverityLevel: 3,
});
const { width, height, colorOrder, layout, name } = model.input;
const channels = colorOrder === 'gray' ? 1 : 3;
const shape = layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels];
const preprocess = createPreprocessor(model.input);
const tensors: ort.Tensor[] = [];
for (const picture of pictures) {
  const { pixels } = await decodePicture(picture, model.input);
  tensors.push(new ort.Tensor('float32', preprocess(pixels), shape));
}
const bareSession = async () => {
  for (const tensor of tensors) await session.run({ [name]: tensor });
};

await bareSession();
for (const { encoder } of encoders) await encoder.encode(pictures);
const bare: number[] = [];
const rounds = encoders.map(() => [] as { rate: number; ratio: number; stages: Record<string, number> }[]);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, { encoder }] of encoders.entries()) {
    const bareRate = PICTURES / (await seconds(bareSession));
    bare.push(bareRate);
    const before = { ...encoder.timings };
    const rate = PICTURES / (await seconds(() => encoder.encode(pictures)));
    const spent = (stage: 'decode' | 'preprocess' | 'inference') =>
      (encoder.timings[stage] - before[stage]) / PICTURES;
    const stages = {
      decode: spent('decode'),
      preprocess: spent('preprocess'),
      inference: spent('inference'),
    };
    rounds[i]?.push({ rate, ratio: rate / bareRate, stages });
  }
}
await Promise.all(encoders.map(({ encoder }) => encoder.close()));

const results = encoders.map(({ threads }, i) => {
  const measured = rounds[i] as (typeof rounds)[number];
  const stage = (key: string) => median(measured.map(({ stages }) => stages[key] as number));
  return {
    threads,
    picturesPerSecond: median(measured.map(({ rate }) => rate)),
    toBareSession: median(measured.map(({ ratio }) => ratio)),
    milliseconds: { decode: stage('decode'), preprocess: stage('preprocess'), inference: stage('inference') },
  };
});
const report = {
  model: model.name,
  pictures: from,
  rounds: ROUNDS,
  cores: availableParallelism(),
  architecture: process.arch,
  node: process.version,
  bareSession: { threads: 1, picturesPerSecond: median(bare), milliseconds: 1000 / median(bare) },
  encoder: results,
};
const table = markdownTable(
  ['', 'pictures/s', 'to bare session', 'decode ms', 'preprocess ms', 'inference ms'],
  [
    ['bare session, 1 thread', median(bare).toFixed(1), '1.00', '', '', (1000 / median(bare)).toFixed(1)],
    ...results.map(({ threads, picturesPerSecond, toBareSession, milliseconds }) => [
      `encoder, ${threads} thread${threads > 1 ? 's' : ''}`,
      picturesPerSecond.toFixed(1),
      toBareSession.toFixed(2),
      ...[milliseconds.decode, milliseconds.preprocess, milliseconds.inference].map((ms) => ms.toFixed(1)),
    ]),
  ],
);
const heading = `# Encoding\n\nModel ${model.name}; ${from}; ${PICTURES} pictures, medians of ${ROUNDS} rounds; ${report.cores} cores, ${report.architecture}, Node ${process.version}.\nThe milliseconds of a stage are per picture and sum over threads; decoding runs beside inference.`;
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const file = model.name === DEFAULT_MODEL ? 'encode' : `encode-${model.name}`;
writeFileSync(join(folder, `${file}.json`), `${JSON.stringify(report, null, 2)}\n`);
writeFileSync(join(folder, `${file}.md`), `${heading}\n\n${table}\n`);
console.log(`${heading}\n\n${table}`);
