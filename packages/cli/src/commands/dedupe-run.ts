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
  type ComparedFiles,
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
import { openPictureCache } from '../open-picture-cache.ts';
import { assertWritable, note, print, stdoutHasColor, writeWholeFile } from '../output.ts';
import type { PictureCache } from '../picture-cache.ts';
import { type FileError, type ScannedFile, scanPictures } from '../picture-scan.ts';
import { duration, Progress } from '../progress.ts';
import { rotatedEmbeddings, symmetriesOf } from '../rotated-embeddings.ts';
import { type UndecodedFile, undecodedFiles } from '../undecoded-files.ts';
import { readVerdicts } from '../verdicts.ts';
import {
  assertPictures,
  type FoundFile,
  findPictureFiles,
  type PictureWalk,
  skippedText,
} from '../walk-pictures.ts';

import type { DedupeOptions } from './dedupe.ts';

export async function dedupe(folder: string, options: DedupeOptions, signal: AbortSignal): Promise<number> {
  const quiet = options.json === true || options.csv === true;
  if (options.html !== undefined) await assertWritable(options.html);
  const { walk, reference } = await walkFolders(folder, options.against);
  const walks = reference ? [walk, reference] : [walk];
  const different = await readVerdicts();
  const cache = openPictureCache();
  try {
    const encoder = await lazyEncoder(await resolveModel(options.model));
    try {
      const started = performance.now();
      const work: Work = { options, encoder, cache, signal, quiet, different };
      const report = await makeReport(folder, walk, reference, work);
      report.errors.unshift(...walks.flatMap(({ errors }) => errors));
      if (report.groups.length === 0) assertCompared(report, walks);
      await printReport(report, options);
      if (options.html !== undefined) await writePage(options.html, report, signal, quiet);
      if (!quiet) {
        if (report.errors.length > 0) note(`\nCould not read:\n${errorLines(report.errors)}`);
        note(
          `${walks.map(walkText).join(' against ')} in ${duration((performance.now() - started) / 1000)}` +
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

/** Nothing was found where there was nothing to compare: that is no answer. */
function assertCompared(report: DuplicateReport, walks: readonly PictureWalk[]): void {
  for (const [number, side] of [report, report.against].entries()) {
    if (side?.pictures !== 0) continue;
    assertPictures(walks[number] as PictureWalk, side.folder);
    throw new LookalikeError(
      'no-pictures',
      `no file in ${side.folder} could be read:\n${errorLines(report.errors)}`,
    );
  }
}

/** `24 files (skipped: 1 symbolic link)` */
function walkText({ files, unsupported, skipped }: PictureWalk): string {
  return `${counted(files.length + unsupported.length, 'file')}${skippedText({ skipped, unsupported: [] })}`;
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
  const walk = await walkFolder(folder);
  if (against === undefined) return { walk };
  const other = await walkFolder(against);
  const root = await realpath(folder);
  const otherRoot = await realpath(against);
  if (root === otherRoot)
    throw new LookalikeError('same-folder', `${folder} and ${against} are one folder; leave out --against`);
  // Where one folder lies in the other, a file is on the inner one's side.
  const inside = (outer: string, inner: string) => inner.startsWith(outer + sep);
  const leaveOut = (one: PictureWalk, outer: string, inner: string) => {
    if (!inside(outer, inner)) return;
    const outside = ({ path }: FoundFile) => !inside(inner, join(outer, path));
    one.files = one.files.filter(outside);
    one.unsupported = one.unsupported.filter(outside);
  };
  leaveOut(walk, root, otherRoot);
  leaveOut(other, otherRoot, root);
  const [inner, outer] = isEmpty(walk) ? [against, folder] : [folder, against];
  if (isEmpty(walk) || isEmpty(other))
    throw new LookalikeError('no-pictures', `no pictures in ${outer} but those in ${inner}`);
  const fromFirst = (absolute: string) => relative(resolve(folder), absolute).split(sep).join('/');
  const named = ({ absolute }: FoundFile) => ({ path: fromFirst(absolute), absolute });
  const reference = {
    ...other,
    files: other.files.map(named),
    unsupported: other.unsupported.map(named),
    errors: other.errors.map(({ path, error }) => ({
      path: `${fromFirst(join(resolve(against), path))}/`,
      error,
    })),
  };
  return { walk, reference };
}

const isEmpty = ({ files, unsupported }: PictureWalk) => files.length + unsupported.length === 0;

/** Files in formats that are not decoded will do: they can be copies of each other. */
async function walkFolder(folder: string): Promise<PictureWalk> {
  const walk = await findPictureFiles(resolve(folder));
  if (isEmpty(walk)) assertPictures(walk, resolve(folder));
  return walk;
}

async function makeReport(
  folder: string,
  own: PictureWalk,
  reference: PictureWalk | undefined,
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

  const walks = reference ? [own, reference] : [own];
  const files = walks.flatMap((walk) => walk.files);
  const scan = await stage('Looking at', files.length, 'pictures', (onProgress) =>
    scanPictures(files, { encoder, cache, signal, onProgress }),
  );
  const undecoded = await undecodedFiles(
    [...walks.flatMap(({ unsupported }) => unsupported), ...scan.failed],
    {
      pictures: scan.pictures,
      cache,
      signal,
    },
  );
  const isKnown = (file: UndecodedFile): file is ScannedFile => file.contentHash !== undefined;
  const pathsOf = (walk?: PictureWalk) => [...(walk?.files ?? []), ...(walk?.unsupported ?? [])];
  const referencePaths = new Set(pathsOf(reference).map(({ path }) => path));
  const isOwn = ({ path }: FoundFile) => !referencePaths.has(path);
  const [ownPictures, otherPictures] = parted([...scan.pictures, ...undecoded.filter(isKnown)], isOwn);
  const pictures = [...ownPictures, ...otherPictures];
  const compared = (where: string, side: boolean): ComparedFiles => ({
    folder: where,
    pictures: scan.pictures.filter((file) => isOwn(file) === side).length,
    undecoded: undecoded.filter((file) => isOwn(file) === side).length,
  });
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
      ...(options.against !== undefined && { boundary: ownPictures.length }),
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
      for (const [index, name] of (await transformsOf(items, signal)).entries())
        (items[index] as ReportedItem).transform = name;
  }
  return {
    ...compared(folder, true),
    model: model.name,
    threshold: found.threshold,
    known: scan.known,
    groups,
    errors: scan.errors,
    ...(found.precision !== undefined && { precision: found.precision }),
    ...(options.against !== undefined && { against: compared(options.against, false) }),
  };
}

async function transformsOf(items: readonly ReportedItem[], signal: AbortSignal): Promise<string[]> {
  // Of files that cannot be decoded all have the same bytes.
  if (items.some(({ width }) => width === undefined)) return items.map(() => 'none');
  return (await symmetriesOf(items, signal)).map(({ name }) => name);
}

function parted<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
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
