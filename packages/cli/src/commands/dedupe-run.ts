import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { leastHashSimilarity } from '@lookalike/duplicates';
import { resolveModel } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import { byteSize } from '../byte-size.ts';
import { EXIT } from '../cli-error.ts';
import { confirm } from '../confirm.ts';
import { counted } from '../counted.ts';
import { deleteDuplicates } from '../delete-duplicates.ts';
import { reportPage } from '../duplicate-page.ts';
import {
  type DuplicateReport,
  type ReportedItem,
  redundantItems,
  reportCsv,
  reportGroups,
  reportJson,
} from '../duplicate-report.ts';
import { printable, reportTable } from '../duplicate-table.ts';
import { findDuplicates } from '../find-duplicates.ts';
import { type EmbeddingSource, lazyEncoder } from '../lazy-encoder.ts';
import { assertWritable, note, print, stdoutHasColor, writeWholeFile } from '../output.ts';
import { PictureCache } from '../picture-cache.ts';
import { type FileError, scanPictures } from '../picture-scan.ts';
import { duration, Progress } from '../progress.ts';
import { rotatedEmbeddings, symmetriesOf } from '../rotated-embeddings.ts';
import { cacheFolder } from '../user-folders.ts';
import { readVerdicts } from '../verdicts.ts';
import { type FoundFile, type PictureWalk, skippedText, walkPictures } from '../walk-pictures.ts';

import type { DedupeOptions } from './dedupe.ts';

export async function dedupe(folder: string, options: DedupeOptions, signal: AbortSignal): Promise<number> {
  const quiet = options.json === true || options.csv === true;
  if (options.html !== undefined) await assertWritable(options.html);
  const { walk, reference } = await walkFolders(folder, options.against);
  const walks = reference ? [walk, reference] : [walk];
  const different = await readVerdicts();
  const cache = PictureCache.open(cacheFolder());
  try {
    const encoder = await lazyEncoder(await resolveModel(options.model));
    try {
      const started = performance.now();
      const work: Work = { options, encoder, cache, signal, quiet, different };
      const report = await makeReport(folder, walk.files, reference?.files ?? [], work);
      report.errors.unshift(...walks.flatMap(({ errors }) => errors));
      for (const side of [{ folder, pictures: report.pictures }, report.against])
        if (side?.pictures === 0)
          throw new LookalikeError(
            'no-pictures',
            `no file in ${side.folder} could be read:\n${errorLines(report.errors)}`,
          );
      await printReport(report, options);
      if (options.html !== undefined) await writePage(options.html, report, signal, quiet);
      if (!quiet) {
        if (report.errors.length > 0) note(`\nCould not read:\n${errorLines(report.errors)}`);
        note(
          `${walks.map((one) => counted(one.files.length, 'file') + skippedText(one)).join(' against ')} in ${duration((performance.now() - started) / 1000)}` +
            `${report.known > 0 ? `, ${report.known} known from before` : ''}.`,
        );
      }
      if (options.delete) await confirmAndDelete(report, signal);
      return report.groups.length > 0 ? EXIT.ok : EXIT.nothing;
    } finally {
      await encoder.close();
    }
  } finally {
    cache.close();
  }
}

interface Work {
  options: DedupeOptions;
  encoder: EmbeddingSource;
  cache: PictureCache;
  signal: AbortSignal;
  quiet: boolean;
  different: (a: string, b: string) => boolean;
}

/** The files of the folder, and those of the reference folder under paths relative to the first; as the errors of both. */
async function walkFolders(
  folder: string,
  against: string | undefined,
): Promise<{ walk: PictureWalk; reference?: PictureWalk }> {
  const walk = await walkPictures(resolve(folder));
  if (against === undefined) return { walk };
  const other = await walkPictures(resolve(against));
  const root = await realpath(folder);
  const otherRoot = await realpath(against);
  if (root === otherRoot)
    throw new LookalikeError('same-folder', `${folder} and ${against} are one folder; leave out --against`);
  // Where one folder lies in the other, a file is on the inner one's side.
  const inside = (outer: string, inner: string) => inner.startsWith(outer + sep);
  const outside = (files: FoundFile[], outer: string, inner: string) =>
    files.filter(({ path }) => !inside(inner, join(outer, path)));
  if (inside(root, otherRoot)) walk.files = outside(walk.files, root, otherRoot);
  if (inside(otherRoot, root)) other.files = outside(other.files, otherRoot, root);
  const [inner, outer] = walk.files.length === 0 ? [against, folder] : [folder, against];
  if (walk.files.length === 0 || other.files.length === 0)
    throw new LookalikeError('no-pictures', `no pictures in ${outer} but those in ${inner}`);
  const fromFirst = (absolute: string) => relative(resolve(folder), absolute).split(sep).join('/');
  const reference = {
    ...other,
    files: other.files.map(({ absolute }) => ({ path: fromFirst(absolute), absolute })),
    errors: other.errors.map(({ path, error }) => ({
      path: `${fromFirst(join(resolve(against), path))}/`,
      error,
    })),
  };
  return { walk, reference };
}

async function makeReport(
  folder: string,
  files: readonly FoundFile[],
  reference: readonly FoundFile[],
  { options, encoder, cache, signal, quiet, different }: Work,
): Promise<DuplicateReport> {
  const { model } = encoder;
  if (model.metric !== 'cosine')
    throw new LookalikeError(
      'unsupported-metric',
      `dedupe compares by cosine; the model ${model.name} is made for ${model.metric}`,
    );
  /** Runs a stage with a progress bar of its own. */
  const stage = async <T>(
    label: string,
    total: number,
    unit: string,
    run: (onProgress: (done: number) => void) => Promise<T>,
  ): Promise<T> => {
    const progress = new Progress({ label, total, unit, silentInPipe: quiet });
    return run((done) => progress.update(done)).finally(() => progress.end());
  };

  const total = files.length + reference.length;
  const scan = await stage('Looking at', total, 'pictures', (onProgress) =>
    scanPictures([...files, ...reference], { encoder, cache, signal, onProgress }),
  );
  const { pictures } = scan;
  const referencePaths = new Set(reference.map(({ path }) => path));
  const own = pictures.filter(({ path }) => !referencePaths.has(path)).length;
  const turned = options.rotations
    ? await stage('Turning', pictures.length, 'pictures', (onProgress) =>
        rotatedEmbeddings(pictures, { encoder, cache, signal, onProgress }),
      )
    : undefined;
  const found = await stage('Comparing', 100, '%', (onProgress) =>
    findDuplicates(pictures, {
      level:
        options.minPrecision === undefined
          ? { minSimilarity: options.minSimilarity ?? model.defaultThreshold }
          : { minPrecision: options.minPrecision, calibration: model.thresholds },
      ...((options.perceptualHash ?? options.minSimilarity === undefined) && {
        minHashSimilarity: leastHashSimilarity(model.thresholds),
      }),
      dimension: model.output.dimension,
      cache,
      ledger: cache.ledger(ledgerName(folder, options, encoder.hash)),
      different,
      signal,
      ...(options.against !== undefined && { boundary: own }),
      ...(turned && { turned }),
      onProgress: (share) => onProgress(Math.floor(share * 100)),
    }),
  );
  if (!found.complete)
    note(
      `Pairs were found through an approximate index: ${(found.recall * 100).toFixed(1)} % of them by a sample.`,
    );
  if (options.minPrecision !== undefined && found.precision === undefined)
    note(
      `No similarity is sure enough for a precision of ${options.minPrecision}: only equal pictures count.`,
    );
  const groups = reportGroups(found.groups, pictures);
  if (options.rotations) {
    for (const { items } of groups)
      for (const [index, symmetry] of (await symmetriesOf(items, signal)).entries())
        (items[index] as ReportedItem).transform = symmetry.name;
  }
  return {
    folder,
    model: model.name,
    threshold: found.threshold,
    pictures: own,
    known: scan.known,
    groups,
    errors: scan.errors,
    ...(found.precision !== undefined && { precision: found.precision }),
    ...(options.against !== undefined && {
      against: { folder: options.against, pictures: pictures.length - own },
    }),
  };
}

/** All that decides which pictures are pairs, but the pictures and the similarity. */
function ledgerName(folder: string, { against, rotations }: DedupeOptions, encoderHash: string): string {
  const parts = [
    encoderHash,
    resolve(folder),
    against === undefined ? '' : resolve(against),
    rotations === true,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function printReport(report: DuplicateReport, options: DedupeOptions): Promise<void> {
  if (options.json) await print(`${reportJson(report)}\n`);
  else if (options.csv) await print(reportCsv(report));
  else await print(reportTable(report, { color: stdoutHasColor() }));
}

async function writePage(
  path: string,
  report: DuplicateReport,
  signal: AbortSignal,
  quiet: boolean,
): Promise<void> {
  const progress = new Progress({
    label: 'Writing the report',
    total: report.groups.length,
    unit: 'groups',
    silentInPipe: quiet,
  });
  await writeWholeFile(
    path,
    reportPage(report, { signal, onProgress: (groups) => progress.update(groups) }),
  ).finally(() => progress.end());
  if (!quiet) note(`Report: ${path}`);
}

async function confirmAndDelete(report: DuplicateReport, signal: AbortSignal): Promise<void> {
  const redundant = redundantItems(report);
  if (redundant.length === 0) return;
  const bytes = redundant.reduce((sum, { bytes }) => sum + bytes, 0);
  const question = `Delete ${counted(redundant.length, 'file')} (${byteSize(bytes)}) for good?`;
  if (!(await confirm(question, signal))) {
    note('Nothing was deleted.');
    return;
  }
  const { deleted, errors } = await deleteDuplicates(report);
  note(
    `Deleted ${counted(deleted.length, 'file')} (${byteSize(deleted.reduce((sum, { bytes }) => sum + bytes, 0))}).`,
  );
  if (errors.length > 0)
    throw new LookalikeError(
      'not-deleted',
      `${counted(errors.length, 'file was', 'files were')} not deleted:\n${errorLines(errors)}`,
    );
}

function errorLines(errors: readonly FileError[]): string {
  return errors.map(({ path, error }) => `  ${printable(path)}: ${error}`).join('\n');
}
