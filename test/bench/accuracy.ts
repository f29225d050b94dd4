/**
 * How well methods find copies, side by side: `npm run bench:accuracy`.
 *
 * `-- --development 12` queries with twelve training photographs instead of the evaluation set, which is never used to
 * choose anything; `-- --photos 50` queries with that many of the evaluation photographs. Only a whole run is kept in
 * `results`. Copies and descriptors stay in a cache in the temporary folder, so that a new model costs only itself.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leastHashSimilarity, MOST_HASH_BITS } from '@lookalike/duplicates';
import { type DecodeTarget, listModels, openEncoder, resolveModel } from '@lookalike/encoder';
import { backboneDescriber } from './accuracy/backbone-describer.ts';
import { Copies, cachedDescriptors } from './accuracy/copies.ts';
import { readCorpus } from './accuracy/corpus.ts';
import { type Describer, encoderDescriber } from './accuracy/describers.ts';
import { behindCheapTier, normalised, PairPool, type Scores, score } from './accuracy/evaluate.ts';
import { pdqDescriber } from './accuracy/pdq.ts';
import { cosineHashes, PRODUCT_HASH, perceptualHashes } from './accuracy/perceptual-hashes.ts';
import { cachedFacts } from './accuracy/picture-facts.ts';
import { type DescribedPicture, productScores } from './accuracy/product-scores.ts';
import { type AccuracyReport, type MethodReport, markdownReport, rowsLed } from './accuracy/report.ts';
import { TRANSFORMATIONS } from './accuracy/transformations.ts';

const BACKBONE = 'efficientnet-lite0-gem';
const TRAINED = 'near-duplicate';
/** The trained model together with the perceptual hash and the rule of pages: the search of `lookalike dedupe` itself. */
const SHIPPED = 'lookalike dedupe';

const { values } = parseArgs({ options: { development: { type: 'string' }, photos: { type: 'string' } } });
const count = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const part = { development: count(values.development), photos: count(values.photos) };
const data = process.env.LOOKALIKE_DATA ?? join(import.meta.dirname, '../../../shared/data');
const corpus = readCorpus(data, part);
if (!corpus) {
  console.log(`skipped: no data (looked in ${data}; set LOOKALIKE_DATA)`);
  process.exit(0);
}
const cache = join(tmpdir(), 'lookalike-bench-accuracy');
mkdirSync(cache, { recursive: true });
const log = (message: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${message}`);

const trained = (await listModels()).find(({ model }) => model.name === TRAINED);
/** From which similarity on `lookalike dedupe` believes agreeing hashes. */
const least = leastHashSimilarity(trained?.model.thresholds ?? []);
const missing: string[] = [];
const describers: Describer[] = [perceptualHashes];
const pdq = pdqDescriber(cache);
if ('missing' in pdq) missing.push(`PDQ (${pdq.missing})`);
else describers.push(pdq);
const threads = availableParallelism();
if (trained) {
  const encoder = await openEncoder(trained.directory, { threads });
  describers.push(encoderDescriber(encoder, 'trained here as a Siamese network; see its model card'));
} else {
  missing.push(`models/${TRAINED} (not there yet)`);
}
describers.push(await backboneDescriber(await resolveModel(BACKBONE), cache, threads));

const copies = new Copies(cache, corpus.fillers);
const matched = corpus.queries.length;

// A reference that resembles a picture whose copies match nothing is no fair one: the training pictures hold duplicates.
const DUPLICATE_SCORE = 1 - (2 * 8) / 64;
const byPHash = perceptualHashes.methods.findIndex(({ name }) => name === 'pHash');
const hashesOf = async (files: readonly string[]) =>
  (await cachedDescriptors(perceptualHashes, cache, files))[byPHash] ?? [];
const unmatchedHashes = await hashesOf(corpus.unmatched);
const resembles = score(await hashesOf(corpus.distractors), unmatchedHashes).map((row) =>
  row.some((value) => value >= DUPLICATE_SCORE),
);
const distractors = corpus.distractors.filter((_, i) => !resembles[i]);
const references = [...corpus.queries, ...distractors];
const referenceCount = references.length;
log(
  `${matched} + ${corpus.unmatched.length} pictures x ${TRANSFORMATIONS.length} transformations, ${referenceCount} references`,
);

/** Of every transformation, the copies of the photographs, then those of the pictures that match nothing. */
const copied: string[][] = [];
for (const transformation of TRANSFORMATIONS) {
  copied.push(await copies.of(transformation, [...corpus.queries, ...corpus.unmatched]));
}
log('copies made');

const described = async (
  files: readonly string[],
  embeddings: readonly Float32Array[],
  target: DecodeTarget,
): Promise<DescribedPicture[]> =>
  (await cachedFacts(target, cache, files)).map((facts, i) => ({
    facts,
    embedding: embeddings[i] as Float32Array,
  }));

const tier = {
  hash: [] as Scores[],
  easy: { settled: 0, right: 0, queries: 0 },
  hard: { settled: 0, right: 0, queries: 0 },
  unmatched: 0,
};
const methods: MethodReport[] = [];
for (const describer of describers) {
  const background = await cachedDescriptors(describer, cache, corpus.background);
  const known = await cachedDescriptors(describer, cache, references);
  const found: Float32Array[][][] = [];
  for (const [i, files] of copied.entries()) {
    found.push(await cachedDescriptors(describer, cache, files));
    log(`${describer.methods.map(({ name }) => name).join(', ')}: ${TRANSFORMATIONS[i]?.name}`);
  }
  await describer.close();
  for (const [m, { name, note }] of describer.methods.entries()) {
    const pools = () => ({
      plain: new PairPool(),
      normalised: new PairPool(),
      behindCheapTier: new PairPool(),
    });
    const halves = { easy: pools(), hard: pools() };
    const rows: MethodReport['transformations'] = {};
    const shipped = { rows: {} as typeof rows, easy: new PairPool(), hard: new PairPool() };
    for (const [i, { name: transformation, half }] of TRANSFORMATIONS.entries()) {
      const queries = found[i]?.[m] as Float32Array[];
      const scores = score(queries, known[m] as Float32Array[]);
      if (name === PRODUCT_HASH) tier.hash[i] = scores;
      const alone = new PairPool();
      alone.add(scores, matched);
      rows[transformation] = { half, ...alone.figures() };
      if (name === TRAINED && trained) {
        const together = await productScores(
          await described(copied[i] as string[], queries, trained.model.input),
          await described(references, known[m] as Float32Array[], trained.model.input),
          tier.hash[i] as Scores,
          least,
        );
        const pool = new PairPool();
        pool.add(together, matched);
        shipped.rows[transformation] = { half, ...pool.figures() };
        if (half !== 'beyond') shipped[half].add(together, matched);
      }
      if (half === 'beyond') continue;
      halves[half].plain.add(scores, matched);
      halves[half].normalised.add(normalised(scores, queries, background[m] as Float32Array[]), matched);
      const behind = behindCheapTier(tier.hash[i] as Scores, scores);
      halves[half].behindCheapTier.add(behind.scores, matched);
      if (name !== PRODUCT_HASH) continue;
      behind.scores.forEach((row, query) => {
        const best = row.indexOf(Math.max(...row));
        const settled = (row[best] as number) > 1;
        if (query >= matched) tier.unmatched += settled ? 1 : 0;
        else tier[half].queries++;
        if (query < matched && settled) {
          tier[half].settled++;
          tier[half].right += best === query ? 1 : 0;
        }
      });
    }
    const figures = ({ plain, normalised, behindCheapTier }: ReturnType<typeof pools>) => ({
      plain: plain.figures(),
      normalised: normalised.figures(),
      behindCheapTier: behindCheapTier.figures(),
    });
    const dimension = known[m]?.[0]?.length as number;
    methods.push({
      name,
      note,
      dimension,
      transformations: rows,
      halves: { easy: figures(halves.easy), hard: figures(halves.hard) },
    });
    if (name !== TRAINED) continue;
    methods.push({
      name: SHIPPED,
      note: `${TRAINED} and, where it is near enough, the hash`,
      dimension: dimension + 256,
      transformations: shipped.rows,
      halves: {
        easy: { plain: shipped.easy.figures() },
        hard: { plain: shipped.hard.figures() },
      },
    });
  }
}

/** Milliseconds a picture, one after the other. */
async function timed(work: (bytes: Buffer) => Promise<unknown>): Promise<number> {
  const files = copied.map(([file]) => readFileSync(file as string));
  await work(files[0] as Buffer);
  const started = performance.now();
  for (const bytes of files) await work(bytes);
  return (performance.now() - started) / files.length;
}
const encoder = await openEncoder(trained?.directory ?? (await resolveModel(BACKBONE)), { threads: 1 });
const milliseconds = {
  hash: await timed(cosineHashes),
  encoder: await timed((bytes) => encoder.encode([bytes])),
};
await encoder.close();

const settledIn = (half: 'easy' | 'hard') => ({
  settled: tier[half].settled / tier[half].queries,
  right: tier[half].right / tier[half].settled,
});
const inHalves = TRANSFORMATIONS.filter(({ half }) => half !== 'beyond').length;
const report: AccuracyReport = {
  corpus: `${corpus.description} ${referenceCount} references in all, ${TRANSFORMATIONS.length} transformations. Background of score normalisation: ${corpus.background.length} pictures of the training lists.`,
  missing,
  methods,
  cheapTier: {
    hash: PRODUCT_HASH,
    distance: MOST_HASH_BITS,
    halves: { easy: settledIn('easy'), hard: settledIn('hard') },
    unmatchedSettled: tier.unmatched / (inHalves * corpus.unmatched.length),
    milliseconds,
  },
};
const leads = methods
  .filter(({ name }) => name === TRAINED || name === SHIPPED)
  .map((method) => {
    const { led, rows, lost } = rowsLed(report, method);
    return `${method.name} leads in ${led} of ${rows} rows${lost.length ? `; not in: ${lost.join(', ')}` : ''}.`;
  });
const text = `${[markdownReport(report), ...leads].join('\n\n')}\n`;
console.log(text);
if (!part.development && !part.photos) {
  const folder = join(import.meta.dirname, 'results');
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'accuracy.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, 'accuracy.md'), text);
}
