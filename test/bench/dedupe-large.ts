/**
 * What `lookalike dedupe` takes on a large folder: `npm run bench:dedupe-large [-- --files 10000] [--megapixels 0] [--model m]`.
 *
 * The folder is made of the photographs of the development half and their copies, as `bench:dedupe` makes them, in as many
 * crops as it takes to come to that many files. What the command runs is run in a process of its own, from an empty cache,
 * and then once more with one per cent of new files. `--megapixels 12` makes every picture that large: the peak of memory
 * should be the same.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leastHashSimilarity } from '@lookalike/duplicates';
import { openEncoder, resolveModel } from '@lookalike/encoder';
import sharp from 'sharp';
import { findDuplicates } from '../../packages/cli/src/find-duplicates.ts';
import { PictureCache } from '../../packages/cli/src/picture-cache.ts';
import { scanPictures } from '../../packages/cli/src/picture-scan.ts';
import { walkPictures } from '../../packages/cli/src/walk-pictures.ts';
import { makeVariant, VARIANTS } from './dedupe-variants.ts';
import { markdownTable } from './markdown-table.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const HALF = 200;
/** Of the first run in files of the second. */
const NEW_SHARE = 0.01;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    megapixels: { type: 'string', default: '0' },
    model: { type: 'string' },
    /** Of the process that is measured: the folder, with the cache beside it. */
    run: { type: 'string' },
  },
});
const wanted = Number(values.files);
const pixels = Number(values.megapixels) * 1e6;

const photosFolder = join(process.env.LOOKALIKE_DATA ?? join(REPOSITORY, '../shared/data'), 'photos');
if (!existsSync(photosFolder)) {
  process.stdout.write(`skipped: no data in ${photosFolder}\n`);
  process.exit(0);
}

/** Crop `number` of a photograph: the first is all of it, the others are different enough to be pictures of their own. */
async function crop(file: Buffer, number: number): Promise<Buffer> {
  const picture = sharp(file).autoOrient();
  const { autoOrient } = await picture.metadata();
  const share = number === 0 ? 1 : 0.55;
  const [width, height] = [Math.round(autoOrient.width * share), Math.round(autoOrient.height * share)];
  const at = (side: number, taken: number, step: number) => Math.floor((side - taken) * ((step % 4) / 3));
  const cut = await picture
    .extract({
      left: at(autoOrient.width, width, number),
      top: at(autoOrient.height, height, Math.floor(number / 4)),
      width,
      height,
    })
    .toBuffer();
  if (pixels === 0) return sharp(cut).jpeg({ quality: 92 }).toBuffer();
  const scale = Math.sqrt(pixels / (width * height));
  return sharp(cut)
    .resize(Math.round(width * scale), Math.round(height * scale))
    .jpeg({ quality: 92 })
    .toBuffer();
}

/** Files of the folder from number `from` to `to`, the same ones in every run. */
async function makeFiles(folder: string, from: number, to: number): Promise<number> {
  const names = (await readdir(photosFolder))
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .slice(0, HALF);
  const perPicture = VARIANTS.length + 1;
  let bytes = 0;
  for (let first = from - (from % perPicture); first < to; first += perPicture) {
    const picture = first / perPicture;
    const file = await crop(
      await readFile(join(photosFolder, names[picture % names.length] as string)),
      Math.floor(picture / names.length),
    );
    for (let variant = -1; variant < VARIANTS.length; variant++) {
      const number = first + variant + 1;
      if (number < from || number >= to) continue;
      const made = VARIANTS[variant];
      const content = made ? await makeVariant(made, file) : file;
      bytes += content.length;
      await writeFile(join(folder, `${picture}~${variant + 1}.${made?.ending ?? 'jpg'}`), content);
    }
  }
  return bytes;
}

interface Run {
  files: number;
  encoded: number;
  groups: number;
  pairsCompared: number;
  seconds: { scan: number; compare: number };
  /** Of the encoder, a picture encoded, summed over threads. */
  millisecondsEncoding: { decode: number; preprocess: number; inference: number };
  /** The most memory that the process ever held. */
  peakMegabytes: number;
}

/** What the command runs, in this process. */
async function run(folder: string): Promise<Run> {
  const cache = PictureCache.open(join(folder, '../cache'));
  const encoder = await openEncoder(await resolveModel(values.model));
  const { model } = encoder;
  const signal = new AbortController().signal;
  const { files } = await walkPictures(folder);
  const started = performance.now();
  const { pictures, errors } = await scanPictures(files, { encoder, cache, signal });
  if (errors.length > 0) throw new Error(`${errors.length} files failed: ${JSON.stringify(errors[0])}`);
  const scanned = performance.now();
  const { groups, compared } = await findDuplicates(pictures, {
    level: { minSimilarity: model.defaultThreshold },
    minHashSimilarity: leastHashSimilarity(model.thresholds),
    dimension: model.output.dimension,
    cache,
    ledger: cache.ledger('bench'),
    signal,
  });
  const grouped = performance.now();
  await encoder.close();
  cache.close();
  const { pictures: encoded, decode, preprocess, inference } = encoder.timings;
  const each = (milliseconds: number) => milliseconds / Math.max(1, encoded);
  return {
    files: files.length,
    encoded,
    groups: groups.length,
    pairsCompared: compared,
    seconds: { scan: (scanned - started) / 1000, compare: (grouped - scanned) / 1000 },
    millisecondsEncoding: {
      decode: each(decode),
      preprocess: each(preprocess),
      inference: each(inference),
    },
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1000),
  };
}

if (values.run !== undefined) {
  process.send?.(await run(values.run));
  process.exit(0);
}

function runApart(folder: string): Promise<Run> {
  const child = fork(import.meta.filename, [
    '--run',
    folder,
    ...(values.model === undefined ? [] : ['--model', values.model]),
  ]);
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Run));
    child.once('close', (code) => reject(new Error(`the run ended with ${code}`)));
  });
}

const root = await mkdtemp(join(tmpdir(), 'lookalike-bench-dedupe-large-'));
try {
  const folder = join(root, 'library');
  await mkdir(folder);
  const bytes = await makeFiles(folder, 0, wanted);
  const loadBefore = loadavg()[0] as number;
  const first = await runApart(folder);
  await makeFiles(folder, wanted, wanted + Math.max(1, Math.round(wanted * NEW_SHARE)));
  const second = await runApart(folder);
  const secondsOf = ({ seconds }: Run) => seconds.scan + seconds.compare;
  const result = {
    megabytes: Math.round(bytes / 1e6),
    megapixels: Number(values.megapixels),
    cores: availableParallelism(),
    loadBefore,
    picturesPerSecond: first.files / secondsOf(first),
    first,
    second,
  };
  const results = join(REPOSITORY, 'test/bench/results');
  await mkdir(results, { recursive: true });
  const name = `dedupe-large-${wanted}${pixels > 0 ? `-${values.megapixels}mp` : ''}`;
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  const row = (title: string, one: Run) => [
    title,
    String(one.files),
    String(one.encoded),
    secondsOf(one).toFixed(1),
    (one.files / secondsOf(one)).toFixed(1),
    String(one.peakMegabytes),
    one.millisecondsEncoding.decode.toFixed(1),
    one.millisecondsEncoding.inference.toFixed(1),
    ((1000 * one.seconds.compare) / one.files).toFixed(2),
    String(one.pairsCompared),
    String(one.groups),
  ];
  const report = [
    `${wanted} files, ${result.megabytes} MB, ${result.cores} cores, load ${loadBefore.toFixed(1)} before`,
    '',
    markdownTable(
      [
        'run',
        'files',
        'encoded',
        's',
        'files/s',
        'peak MB',
        'decode ms',
        'inference ms',
        'compare ms a file',
        'pairs compared',
        'groups',
      ],
      [row('from an empty cache', first), row('with new files', second)],
    ),
    '',
  ].join('\n');
  await writeFile(join(results, `${name}.md`), `# dedupe on a large folder\n\n${report}`);
  process.stdout.write(report);
} finally {
  await rm(root, { recursive: true, force: true });
}
