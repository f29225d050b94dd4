/**
 * Real embeddings for the index's benches, as a .npy file of float32 rows in the temporary folder:
 * `node test/bench/index/embed-pictures.ts`. Pictures of the research data and copies of them, drawn, through the default encoder;
 * LOOKALIKE_BENCH_PICTURES: how many.
 * Shares the cache of `bench:accuracy`; an interrupted run goes on where it stopped.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEncoder, resolveModel } from '@lookalike/encoder';
import { Copies, cachedDescriptors } from '../accuracy/copies.ts';
import { listPictures, readCorpus } from '../accuracy/corpus.ts';
import { encoderDescriber } from '../accuracy/describers.ts';
import { Random } from '../accuracy/random.ts';
import { TRANSFORMATIONS, type Transformation } from '../accuracy/transformations.ts';
import { embeddingsFile, researchData } from './embeddings-file.ts';

/** Where `bench:accuracy` keeps copies and descriptors. */
const cache = join(tmpdir(), 'lookalike-bench-accuracy');
/** Of some 30,000; one is decoded and encoded in 50 ms. */
const count = Number(process.env.LOOKALIKE_BENCH_PICTURES ?? 10_000);
/** Copies of every picture that `bench:accuracy` makes none of. */
const copyNames = ['resize to 50%', 'JPEG quality 40', 'crop to 80%', 'text, one line'];

async function pictureFiles(): Promise<string[]> {
  const corpus = readCorpus(researchData);
  if (corpus === undefined) throw new Error(`no data in ${researchData}`);
  const copied = [...corpus.queries, ...corpus.unmatched];
  const others = ['caltech101', 'clothing', 'photos', 'tracking']
    .flatMap((folder) => listPictures(join(researchData, folder)))
    .filter((file) => !copied.includes(file));
  const pictures: { file: string; transformation?: Transformation }[] = [...copied, ...others].map(
    (file) => ({
      file,
    }),
  );
  for (const transformation of TRANSFORMATIONS)
    for (const file of copyNames.includes(transformation.name) ? [...copied, ...others] : copied)
      pictures.push({ file, transformation });
  // Queries are the last ones: drawn, not of one kind.
  const random = new Random('order');
  for (let i = pictures.length - 1; i > 0; i--) {
    const j = random.whole(0, i);
    [pictures[i], pictures[j]] = [
      pictures[j] as (typeof pictures)[number],
      pictures[i] as (typeof pictures)[number],
    ];
  }
  const copies = new Copies(cache, corpus.fillers);
  const files: string[] = [];
  for (const { file, transformation } of pictures.slice(0, count))
    files.push(...(transformation === undefined ? [file] : await copies.of(transformation, [file])));
  return files;
}

function npy(rows: readonly Float32Array[], dimension: number): Buffer {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows.length}, ${dimension}), }`;
  const padded = `${header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11)}\n`;
  const prefix = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  prefix.writeUInt16LE(padded.length, 8);
  const parts = rows.map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength));
  return Buffer.concat([prefix, Buffer.from(padded, 'latin1'), ...parts]);
}

const target = await embeddingsFile();
if (target === undefined) console.log(`skipped: no data in ${researchData}`);
else {
  const encoder = await openEncoder(await resolveModel(), { threads: 1 });
  const files = await pictureFiles();
  const describer = encoderDescriber(encoder, '');
  const rows: Float32Array[] = [];
  for (let at = 0; at < files.length; at += 1000) {
    rows.push(...((await cachedDescriptors(describer, cache, files.slice(at, at + 1000)))[0] ?? []));
    console.log(`${rows.length} of ${files.length}`);
  }
  await describer.close();
  mkdirSync(join(target, '..'), { recursive: true });
  writeFileSync(`${target}.part`, npy(rows, encoder.model.output.dimension));
  renameSync(`${target}.part`, target);
  console.log(target);
}
