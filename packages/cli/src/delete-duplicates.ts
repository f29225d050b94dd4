import { unlink } from 'node:fs/promises';
import { LookalikeError } from '@lookalike/store';
import { errorText } from './cli-error.ts';
import type { DuplicateReport, ReportedItem } from './duplicate-report.ts';
import { type FileError, sha256OfFile } from './picture-scan.ts';

/**
 * Deletes all but the kept file of every group. Both it and the kept one are read again before a file goes: nothing is deleted
 * that was not compared, nor for the sake of a picture that is no longer there.
 */
export async function deleteDuplicates(
  report: DuplicateReport,
): Promise<{ deleted: ReportedItem[]; errors: FileError[] }> {
  const deleted: ReportedItem[] = [];
  const errors: FileError[] = [];
  for (const { keep, items } of report.groups) {
    const kept = items.find(({ path }) => path === keep) as ReportedItem;
    const redundant = items.filter((item) => item !== kept);
    try {
      await assertUnchanged(kept);
    } catch (error) {
      const why = `not deleted: ${kept.path}, to be kept instead, cannot be relied on: ${errorText(error)}`;
      errors.push(...redundant.map(({ path }) => ({ path, error: why })));
      continue;
    }
    for (const item of redundant) {
      try {
        await assertUnchanged(item);
        await unlink(item.absolute);
        deleted.push(item);
      } catch (error) {
        errors.push({ path: item.path, error: `not deleted: ${errorText(error)}` });
      }
    }
  }
  return { deleted, errors };
}

/** By its bytes: renaming can put another file of the same size and age in its place. */
async function assertUnchanged({ absolute, contentHash }: ReportedItem): Promise<void> {
  if ((await sha256OfFile(absolute)) !== contentHash)
    throw new LookalikeError('file-changed', 'it has changed since it was compared');
}
