import { resolve } from 'node:path';
import { type Encoder, openEncoder, resolveModel } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import { byteSize } from '../byte-size.ts';
import { EXIT } from '../cli-error.ts';
import { confirm } from '../confirm.ts';
import { deleteDuplicates } from '../delete-duplicates.ts';
import { reportPage } from '../duplicate-page.ts';
import {
  type DuplicateReport,
  redundantItems,
  reportCsv,
  reportGroups,
  reportJson,
} from '../duplicate-report.ts';
import { printable, reportTable } from '../duplicate-table.ts';
import { findDuplicates } from '../find-duplicates.ts';
import { note, print, stdoutHasColor, writeWholeFile } from '../output.ts';
import { PictureCache } from '../picture-cache.ts';
import { type FileError, scanPictures } from '../picture-scan.ts';
import { duration, Progress } from '../progress.ts';
import { cacheFolder } from '../user-folders.ts';
import { skippedText, walkPictures } from '../walk-pictures.ts';

import type { DedupeOptions } from './dedupe.ts';

export async function dedupe(folder: string, options: DedupeOptions, signal: AbortSignal): Promise<number> {
  const quiet = options.json === true || options.csv === true;
  const walk = await walkPictures(resolve(folder));
  const cache = PictureCache.open(cacheFolder());
  try {
    const encoder = await openEncoder(await resolveModel(options.model));
    try {
      const started = performance.now();
      const report = await makeReport(folder, walk.files, { options, encoder, cache, signal, quiet });
      if (report.scanned === 0)
        throw new LookalikeError(
          'no-pictures',
          `none of the ${walk.files.length} files in ${folder} could be read\n${errorLines(report.errors)}`,
        );
      await printReport(report, options);
      if (options.html !== undefined) await writePage(options.html, report, signal, quiet);
      if (!quiet) {
        if (report.errors.length > 0)
          note(`\nCould not read ${report.errors.length} files:\n${errorLines(report.errors)}`);
        note(
          `${walk.files.length} files${skippedText(walk)} in ${duration((performance.now() - started) / 1000)}` +
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
  encoder: Encoder;
  cache: PictureCache;
  signal: AbortSignal;
  quiet: boolean;
}

async function makeReport(
  folder: string,
  files: Awaited<ReturnType<typeof walkPictures>>['files'],
  { options, encoder, cache, signal, quiet }: Work,
): Promise<DuplicateReport> {
  const { model } = encoder;
  if (model.metric !== 'cosine')
    throw new LookalikeError(
      'unsupported-metric',
      `dedupe compares by cosine; the model ${model.name} is made for ${model.metric}`,
    );
  const threshold = options.minSimilarity ?? model.defaultThreshold;
  const reading = new Progress({
    label: 'Comparing',
    total: files.length,
    unit: 'pictures',
    silentInPipe: quiet,
  });
  const scan = await scanPictures(files, {
    encoder,
    cache,
    signal,
    onProgress: (done) => reading.update(done),
  }).finally(() => reading.end());

  const pairing = new Progress({ label: 'Finding pairs', total: 100, unit: '%', silentInPipe: quiet });
  const found = await findDuplicates(scan.pictures, {
    minSimilarity: threshold,
    dimension: model.output.dimension,
    cache,
    signal,
    onProgress: (share) => pairing.update(Math.floor(share * 100)),
  }).finally(() => pairing.end());
  if (!found.complete)
    note(
      `Pairs were found through an approximate index: ${(found.recall * 100).toFixed(1)} % of them by a sample.`,
    );
  return {
    folder,
    model: model.name,
    threshold,
    scanned: scan.pictures.length,
    known: scan.known,
    groups: reportGroups(found.groups, scan.pictures),
    errors: scan.errors,
  };
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
  const question = `Delete ${redundant.length} files (${byteSize(bytes)}) for good?`;
  if (!(await confirm(question, signal))) {
    note('Nothing was deleted.');
    return;
  }
  const { deleted, errors } = await deleteDuplicates(report);
  note(`Deleted ${deleted.length} files (${byteSize(deleted.reduce((sum, { bytes }) => sum + bytes, 0))}).`);
  if (errors.length > 0)
    throw new LookalikeError(
      'not-deleted',
      `${errors.length} files were not deleted:\n${errorLines(errors)}`,
    );
}

function errorLines(errors: readonly FileError[]): string {
  return errors.map(({ path, error }) => `  ${printable(path)}: ${error}`).join('\n');
}
