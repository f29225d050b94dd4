/**
 * How fast `lookalike dedupe` is and how right: `npm run bench:dedupe [-- --half evaluation] [--photos 200] [--model m]`.
 *
 * A library is made of photos of the research data and 17 copies of each, made in the usual ways; the folder then goes
 * through what the command runs, from an empty cache. The development half is for trying things, the evaluation half for
 * figures: a figure is taken once, after everything was decided.
 *
 * - copies found: of all copies, those in one group with their photo.
 * - precision: of the files proposed for removal, those that show the same photo as the one kept in their stead.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type EmbeddingTable,
  embeddingTable,
  findPairs,
  leastHashSimilarity,
  type SimilarPairs,
} from '@lookalike/duplicates';
import { openEncoder, resolveModel } from '@lookalike/encoder';
import { type FoundDuplicates, findDuplicates } from '../../packages/cli/src/find-duplicates.ts';
import { PictureCache } from '../../packages/cli/src/picture-cache.ts';
import { type ScannedPicture, scanPictures } from '../../packages/cli/src/picture-scan.ts';
import { walkPictures } from '../../packages/cli/src/walk-pictures.ts';
import { makeVariant, VARIANTS } from './dedupe-variants.ts';
import { markdownTable } from './markdown-table.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const HALF = 200;

const { values } = parseArgs({
  options: {
    half: { type: 'string', default: 'development' },
    photos: { type: 'string', default: String(HALF) },
    model: { type: 'string' },
  },
});
if (values.half !== 'development' && values.half !== 'evaluation')
  throw new Error(`--half is ${values.half}, expected development or evaluation`);

const photosFolder = join(process.env.LOOKALIKE_DATA ?? join(REPOSITORY, '../shared/data'), 'photos');
if (!existsSync(photosFolder)) {
  process.stdout.write(`skipped: no data in ${photosFolder}\n`);
  process.exit(0);
}

/** Which photo a file of the library shows, and as which variant; -1 is the photo itself. */
interface Shown {
  photo: string;
  variant: number;
}

const shownBy = (path: string): Shown => {
  const [, photo = '', variant] = /^(.*?)(?:~(\d+))?\.\w+$/.exec(path) ?? [];
  return { photo, variant: variant === undefined ? -1 : Number(variant) };
};

async function makeLibrary(folder: string): Promise<number> {
  const names = (await readdir(photosFolder)).filter((name) => name.endsWith('.jpg')).sort();
  const half = values.half === 'development' ? names.slice(0, HALF) : names.slice(HALF);
  const chosen = half.slice(0, Number(values.photos));
  for (const [number, name] of chosen.entries()) {
    const file = await readFile(join(photosFolder, name));
    await writeFile(join(folder, `${number}.jpg`), file);
    for (const [index, variant] of VARIANTS.entries())
      await writeFile(join(folder, `${number}~${index}.${variant.ending}`), await makeVariant(variant, file));
  }
  return chosen.length;
}

interface Quality {
  copiesFound: number;
  precision: number;
  removed: number;
  wrong: number;
  groups: number;
}

/** `groups` of positions in `shown`, the kept one first. */
function qualityOf(groups: readonly (readonly number[])[], shown: readonly Shown[], copies: number): Quality {
  let found = 0;
  let removed = 0;
  let wrong = 0;
  for (const group of groups) {
    const members = group.map((index) => shown[index] as Shown);
    const photos = new Set(members.filter(({ variant }) => variant < 0).map(({ photo }) => photo));
    found += members.filter(({ photo, variant }) => variant >= 0 && photos.has(photo)).length;
    removed += members.length - 1;
    wrong += members.filter(({ photo }) => photo !== members[0]?.photo).length;
  }
  return {
    copiesFound: found / copies,
    precision: removed === 0 ? 1 : 1 - wrong / removed,
    removed,
    wrong,
    groups: groups.length,
  };
}

/** What joining by connected components, as many tools do, makes of the same pairs. */
function connected(count: number, pairs: SimilarPairs): number[][] {
  const parent = Array.from({ length: count }, (_, index) => index);
  const root = (node: number): number => {
    let at = node;
    while (parent[at] !== at) at = parent[at] as number;
    parent[node] = at;
    return at;
  };
  for (let pair = 0; pair < pairs.left.length; pair++)
    parent[root(pairs.left[pair] as number)] = root(pairs.right[pair] as number);
  const groups = new Map<number, number[]>();
  for (let node = 0; node < count; node++) {
    const group = groups.get(root(node));
    if (group) group.push(node);
    else groups.set(root(node), [node]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Every picture's still free neighbours, beginning with the picture that has the most similarity around it. */
function stars(count: number, pairs: SimilarPairs): number[][] {
  const neighbours = Array.from({ length: count }, () => new Map<number, number>());
  for (let pair = 0; pair < pairs.left.length; pair++) {
    const [a, b] = [pairs.left[pair] as number, pairs.right[pair] as number];
    neighbours[a]?.set(b, pairs.similarity[pair] as number);
    neighbours[b]?.set(a, pairs.similarity[pair] as number);
  }
  const free = new Set(neighbours.keys());
  const groups: number[][] = [];
  for (;;) {
    let centre = -1;
    let most = 0;
    for (const node of free) {
      let around = 0;
      for (const [other, similarity] of neighbours[node] ?? []) if (free.has(other)) around += similarity;
      if (around > most) [centre, most] = [node, around];
    }
    if (centre < 0) return groups;
    const group = [centre, ...[...(neighbours[centre]?.keys() ?? [])].filter((node) => free.has(node))];
    for (const node of group) free.delete(node);
    groups.push(group);
  }
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

const root = await mkdtemp(join(tmpdir(), 'lookalike-bench-dedupe-'));
try {
  const library = join(root, 'library');
  await mkdir(library);
  const photos = await makeLibrary(library);
  const { files } = await walkPictures(library);
  const cache = PictureCache.open(join(root, 'cache'));
  const encoder = await openEncoder(await resolveModel(values.model));
  const { model } = encoder;
  const signal = new AbortController().signal;

  const scanStarted = performance.now();
  const { pictures, errors } = await scanPictures(files, { encoder, cache, signal });
  const scanSeconds = (performance.now() - scanStarted) / 1000;
  if (errors.length > 0) throw new Error(`${errors.length} files failed: ${JSON.stringify(errors[0])}`);
  const timings = { ...encoder.timings };
  const find = async (
    level: Parameters<typeof findDuplicates>[1]['level'],
    perceptualHash = true,
  ): Promise<FoundDuplicates & { seconds: number }> => {
    const started = performance.now();
    const found = await findDuplicates(pictures, {
      level,
      ...(perceptualHash && { minHashSimilarity: leastHashSimilarity(model.thresholds) }),
      dimension: model.output.dimension,
      cache,
      signal,
    });
    return { ...found, seconds: (performance.now() - started) / 1000 };
  };
  const atDefault = await find({ minSimilarity: model.defaultThreshold });
  const byPrecision = [0.9, 0.99, 0.999].map((minPrecision) => ({
    minPrecision,
    calibration: model.thresholds,
  }));
  const shown = pictures.map(({ path }) => shownBy(path));
  const copies = photos * VARIANTS.length;
  const quality = (found: FoundDuplicates) =>
    qualityOf(
      found.groups.map(({ members }) => members.map(({ index }) => index)),
      shown,
      copies,
    );

  const withoutHashes = await find({ minSimilarity: model.defaultThreshold }, false);
  const levels = [
    { level: 'default', threshold: atDefault.threshold, ...quality(atDefault) },
    {
      level: 'default, without perceptual hashes',
      threshold: withoutHashes.threshold,
      ...quality(withoutHashes),
    },
  ];
  for (const level of byPrecision) {
    const found = await find(level);
    const name = `precision ${level.minPrecision}`;
    levels.push({ level: name, threshold: found.threshold, ...quality(found) });
  }
  const table: EmbeddingTable = embeddingTable(
    pictures.map(({ picture, embedding }: ScannedPicture) =>
      picture.lowInformation ? undefined : embedding,
    ),
    model.output.dimension,
  );
  const joinStarted = performance.now();
  const { pairs } = await findPairs(table, { minSimilarity: model.defaultThreshold });
  const joinSeconds = (performance.now() - joinStarted) / 1000;
  const rules = [
    { rule: 'complete link (dedupe)', ...quality(withoutHashes) },
    { rule: 'stars (medoids)', ...qualityOf(stars(pictures.length, pairs), shown, copies) },
    { rule: 'connected components', ...qualityOf(connected(pictures.length, pairs), shown, copies) },
  ];

  const groupOf = new Map(
    atDefault.groups.flatMap(({ members }, group) => members.map(({ index }) => [index, group])),
  );
  const position = new Map(shown.map(({ photo, variant }, index) => [`${photo} ${variant}`, index]));
  const byVariant = VARIANTS.map(({ name, hard }, variant) => {
    const found = Array.from({ length: photos }, (_, photo) => {
      const group = groupOf.get(position.get(`${photo} -1`) as number);
      return group !== undefined && group === groupOf.get(position.get(`${photo} ${variant}`) as number);
    }).filter(Boolean).length;
    return { name, hard, found: found / photos };
  });
  await encoder.close();
  cache.close();

  const threads = Math.min(availableParallelism(), 4);
  const result = {
    model: model.name,
    half: values.half,
    photos,
    files: files.length,
    threads,
    secondsFromEmptyCache: scanSeconds + atDefault.seconds,
    picturesPerSecond: files.length / (scanSeconds + atDefault.seconds),
    // Of the encoder: summed over threads, so that they do not add up to the seconds.
    millisecondsAPicture: {
      decode: timings.decode / timings.pictures,
      preprocess: timings.preprocess / timings.pictures,
      inference: timings.inference / timings.pictures,
      index: (1000 * atDefault.seconds) / files.length,
    },
    joinSeconds,
    peakMemoryMegabytes: Math.round(process.resourceUsage().maxRSS / 1000),
    levels,
    rules,
    byVariant,
  };
  const results = join(REPOSITORY, 'test/bench/results');
  await mkdir(results, { recursive: true });
  const name = `dedupe-${values.half}-${photos}`;
  await writeFile(join(results, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);

  const { decode, preprocess, inference, index } = result.millisecondsAPicture;
  const report = [
    `${model.name}, ${photos} photos of the ${values.half} half, ${files.length} files, ${threads} threads`,
    `${result.picturesPerSecond.toFixed(1)} pictures/s from an empty cache; ms a picture, summed over threads: ` +
      `decode ${decode.toFixed(1)}, preprocess ${preprocess.toFixed(1)}, inference ${inference.toFixed(1)}, ` +
      `pairs and groups ${index.toFixed(2)}; peak ${result.peakMemoryMegabytes} MB`,
    '',
    markdownTable(
      ['threshold by', 'similarity', 'copies found', 'precision', 'proposed', 'wrong', 'groups'],
      levels.map((one) => [
        one.level,
        one.threshold.toFixed(4),
        percent(one.copiesFound),
        percent(one.precision),
        String(one.removed),
        String(one.wrong),
        String(one.groups),
      ]),
    ),
    '',
    markdownTable(
      [
        'grouping at the default, without perceptual hashes',
        'copies found',
        'precision',
        'proposed',
        'wrong',
        'groups',
      ],
      rules.map((one) => [
        one.rule,
        percent(one.copiesFound),
        percent(one.precision),
        String(one.removed),
        String(one.wrong),
        String(one.groups),
      ]),
    ),
    '',
    markdownTable(
      ['copy', 'kind', 'found at the default'],
      byVariant.map(({ name, hard, found }) => [name, hard ? 'hard' : 'easy', percent(found)]),
    ),
    '',
  ].join('\n');
  await writeFile(join(results, `${name}.md`), `# dedupe\n\n${report}`);
  process.stdout.write(report);
} finally {
  await rm(root, { recursive: true, force: true });
}
