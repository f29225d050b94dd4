import { stat, unlink } from 'node:fs/promises';
import { LookalikeError } from '@lookalike/store';
import { errorText } from './cli-error.ts';
import type { DuplicateReport, ReportedItem } from './duplicate-report.ts';
import { type FileError, readPicture, sha256 } from './picture-scan.ts';

/**
 * Deletes all but the kept file of every group. Each file must still be the one that was compared, and before the first of
 * a group goes its kept one is read again: nothing is deleted for the sake of a picture that is no longer there.
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
      if (sha256(await readPicture(kept.absolute)) !== kept.contentHash)
        throw new LookalikeError('file-changed', 'it has changed since it was compared');
    } catch (error) {
      const why = `not deleted: ${kept.path}, to be kept instead, cannot be relied on: ${errorText(error)}`;
      errors.push(...redundant.map(({ path }) => ({ path, error: why })));
      continue;
    }
    for (const item of redundant) {
      try {
        const { size, mtimeMs } = await stat(item.absolute);
        if (size !== item.bytes || mtimeMs !== item.modified)
          throw new LookalikeError('file-changed', 'it has changed since it was compared');
        await unlink(item.absolute);
        deleted.push(item);
      } catch (error) {
        errors.push({ path: item.path, error: `not deleted: ${errorText(error)}` });
      }
    }
  }
  return { deleted, errors };
}
