/**
 * How far the perceptual hash moves under copying, and how near unrelated pictures come: `npm run bench:hash`.
 *
 * What the radius within which two hashes agree (`MOST_HASH_BITS`) was chosen by. Copies are of the fifth of the training
 * side's lists that nothing is fitted on; the evaluation photographs are not read. Unrelated pairs are those across the three
 * lists, as data sets do not hold each other's pictures; what one list holds twice, a hash ought to find.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  leastHashSimilarity,
  MOST_HASH_BITS,
  MOST_HASH_BITS_OF_MANY,
  SURE_HASH_BITS,
} from '@lookalike/duplicates';
import { decodePicture, openEncoder, resolveModel } from '@lookalike/encoder';
import { Copies, cachedDescriptors } from './accuracy/copies.ts';
import { evenly, heldOutOf, trainingLists } from './accuracy/corpus.ts';
import { embedFiles } from './accuracy/describers.ts';
import { dot } from './accuracy/evaluate.ts';
import { pdqDescriber } from './accuracy/pdq.ts';
import { MODEL_SIZE, PRODUCT_HASH, perceptualHashes } from './accuracy/perceptual-hashes.ts';
import { TRANSFORMATIONS } from './accuracy/transformations.ts';
import { markdownTable } from './markdown-table.ts';

const QUERIES = 120;
const FILLERS = 15;
const RADII = [MOST_HASH_BITS_OF_MANY, SURE_HASH_BITS, 47, MOST_HASH_BITS, 71, 79, 87];

const data = process.env.LOOKALIKE_DATA ?? join(import.meta.dirname, '../../../shared/data');
if (!existsSync(join(data, 'photos'))) {
  console.log(`skipped: no data (looked in ${data}; set LOOKALIKE_DATA)`);
  process.exit(0);
}
const cache = join(tmpdir(), 'lookalike-bench-accuracy');
mkdirSync(cache, { recursive: true });
const pdq = pdqDescriber(cache);
if ('missing' in pdq) throw new Error(`PDQ: ${pdq.missing}`);

/** Of every file its hashes, the product's and PDQ's, as signs. */
async function hashesOf(files: readonly string[]): Promise<[Float32Array[], Float32Array[]]> {
  const [product = []] = await cachedDescriptors(perceptualHashes, cache, files);
  const [other = []] = await cachedDescriptors(pdq as Exclude<typeof pdq, { missing: string }>, cache, files);
  return [product, other];
}
const bits = (a: Float32Array | undefined, b: Float32Array | undefined) =>
  Math.round(128 * (1 - dot(a as Float32Array, b as Float32Array)));

const lists = trainingLists(data);
const heldOut: string[] = [];
// The product compares blank pictures by their pixels only.
for (const file of lists.flatMap(heldOutOf)) {
  const { facts } = await decodePicture(readFileSync(file), MODEL_SIZE);
  if (!facts.lowInformation) heldOut.push(file);
}
const aside = evenly(heldOut, QUERIES + FILLERS);
const fillers = evenly(aside, FILLERS);
const queries = aside.filter((file) => !fillers.includes(file));
const originals = await hashesOf(queries);
const copies = new Copies(cache, fillers);
const rows: string[][] = [];
for (const transformation of TRANSFORMATIONS) {
  const found = await hashesOf(await copies.of(transformation, queries));
  const cells = found.flatMap((hashes, method) => {
    const moved = hashes.map((hash, query) => bits(originals[method]?.[query], hash)).sort((a, b) => a - b);
    const at = (share: number) => String(moved[Math.floor(share * (moved.length - 1))]);
    const within = moved.filter((distance) => distance <= MOST_HASH_BITS).length / moved.length;
    return [at(0.5), at(0.95), at(1), (100 * within).toFixed(1)];
  });
  rows.push([`${transformation.half}: ${transformation.name}`, ...cells]);
  console.error(rows.at(-1)?.join(' | '));
}

interface Pair {
  files: [string, string];
  across: boolean;
  /** Of the product's hash and of PDQ. */
  distances: [number, number];
}
const files = lists.flat();
const listOf = lists.flatMap((list, number) => list.map(() => number));
const all = await hashesOf(files);
await pdq.close();
const near: Pair[] = [];
const compared = { across: 0, within: 0 };
const furthest = Math.max(...RADII);
for (let a = 0; a < files.length; a++)
  for (let b = 0; b < a; b++) {
    const across = listOf[a] !== listOf[b];
    compared[across ? 'across' : 'within']++;
    const distances: Pair['distances'] = [bits(all[0][a], all[0][b]), bits(all[1][a], all[1][b])];
    if (Math.min(...distances) <= furthest)
      near.push({ files: [files[a] as string, files[b] as string], across, distances });
  }

const encoder = await openEncoder(await resolveModel());
const { thresholds, defaultThreshold } = encoder.model;
const least = leastHashSimilarity(thresholds);
const involved = [...new Set(near.flatMap((pair) => pair.files))];
const embeddings = await embedFiles(encoder, involved);
await encoder.close();
const embeddingOf = new Map(involved.map((file, i) => [file, embeddings[i] as Float32Array]));
const similarity = ({ files: [a, b] }: Pair) =>
  dot(embeddingOf.get(a) as Float32Array, embeddingOf.get(b) as Float32Array);

const radii = RADII.map((radius) => {
  const within = (method: 0 | 1, across: boolean) =>
    near.filter((pair) => pair.across === across && pair.distances[method] <= radius);
  const [ours, theirs, own] = [within(0, true), within(1, true), within(0, false)];
  const believed = own.filter((pair) => similarity(pair) >= least);
  const alone = believed.filter((pair) => similarity(pair) < defaultThreshold);
  return [radius, ours.length, theirs.length, own.length, believed.length, alone.length].map(String);
});
const named = (file: string) => file.slice(data.length + 1);
for (const pair of near.filter(({ distances }) => distances[0] <= 71))
  console.error(
    `${pair.distances[0]} bits, ${similarity(pair).toFixed(3)} similar: ${pair.files.map(named).join(' and ')}`,
  );

const text = `${[
  '# Perceptual hash',
  `Copies of ${queries.length} held-out pictures; 256 bits each, and how many of them a copy turns over: median, 95th percentile, most, and the percentage of copies within ${MOST_HASH_BITS}.`,
  markdownTable(
    [
      'copy',
      ...[PRODUCT_HASH, 'PDQ'].flatMap((name) => [
        `${name}: median`,
        '95 %',
        'most',
        `within ${MOST_HASH_BITS}`,
      ]),
    ],
    rows,
  ),
  `Pairs of the ${files.length} pictures of the training lists that come within so many bits of each other: ${compared.across} pairs across lists, all of them unrelated, and ${compared.within} pairs of one list, some of them copies. "Believed": with embeddings at least ${least} similar, as \`dedupe\` asks for; "by the hash alone": of these the pairs below the default similarity, ${defaultThreshold}.`,
  markdownTable(
    ['bits', 'across lists', 'PDQ, across lists', 'of one list', 'believed', 'by the hash alone'],
    radii,
  ),
].join('\n\n')}\n`;
console.log(text);
writeFileSync(join(import.meta.dirname, 'results', 'hash.md'), text);
