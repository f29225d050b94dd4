/**
 * Real embeddings for the index's benches, as a .npy file of float32 rows in the temporary folder:
 * `node test/bench/index/embed-pictures.ts`. All pictures of the research data and copies of them, through the default encoder.
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
import { TRANSFORMATIONS } from '../accuracy/transformations.ts';
import { embeddingsFile, researchData } from './embeddings-file.ts';

/** Where `bench:accuracy` keeps copies and descriptors. */
const cache = join(tmpdir(), 'lookalike-bench-accuracy');
/** Copies of every picture that `bench:accuracy` makes none of. */
const copyNames = ['resize to 50%', 'JPEG quality 40', 'crop to 80%', 'text, one line'];

async function pictureFiles(): Promise<string[]> {
  const corpus = readCorpus(researchData);
  if (corpus === undefined) throw new Error(`no data in ${researchData}`);
  const copies = new Copies(cache, corpus.fillers);
  const copied = [...corpus.queries, ...corpus.unmatched];
  const others = ['caltech101', 'clothing', 'photos', 'tracking']
    .flatMap((folder) => listPictures(join(researchData, folder)))
    .filter((file) => !copied.includes(file));
  const files = [...copied, ...others];
  for (const transformation of TRANSFORMATIONS) {
    files.push(...(await copies.of(transformation, copied)));
    if (copyNames.includes(transformation.name)) files.push(...(await copies.of(transformation, others)));
  }
  // Queries are the last ones: drawn, not of one kind.
  const random = new Random('order');
  for (let i = files.length - 1; i > 0; i--) {
    const j = random.whole(0, i);
    [files[i], files[j]] = [files[j] as string, files[i] as string];
  }
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
