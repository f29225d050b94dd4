import { readdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deleteDuplicates } from './delete-duplicates.ts';
import type { DuplicateReport, ReportedItem } from './duplicate-report.ts';
import { sha256 } from './picture-scan.ts';
import { temporaryFolder } from './test-command.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const MODIFIED = 1_600_000_000_000;

async function item(path: string, content: string): Promise<ReportedItem> {
  const absolute = await folder.write(path, content);
  await utimes(absolute, MODIFIED / 1000, MODIFIED / 1000);
  return {
    path,
    absolute,
    kind: 'exact',
    similarity: 1,
    width: 1,
    height: 1,
    bytes: content.length,
    modified: MODIFIED,
    format: 'png',
    contentHash: sha256(Buffer.from(content)),
  };
}

function reportOf(keep: string, items: ReportedItem[]): DuplicateReport {
  return {
    folder: folder.root,
    model: 'm',
    threshold: 0.9,
    pictures: items.length,
    undecoded: 0,
    known: 0,
    groups: [{ keep, reason: '', items, weakest: { a: keep, b: keep, similarity: 1 } }],
    errors: [],
  };
}

test('a file in whose place another of the same size and age has come stays', async () => {
  const items = [await item('kept', 'cat'), await item('copy', 'cat'), await item('gone', 'cat')];
  await item('only', 'dog');
  await rename(join(folder.root, 'only'), join(folder.root, 'copy'));
  const { deleted, errors } = await deleteDuplicates(reportOf('kept', items));
  expect(deleted.map(({ path }) => path)).toEqual(['gone']);
  expect(errors).toEqual([{ path: 'copy', error: 'not deleted: it has changed since it was compared' }]);
  expect((await readdir(folder.root)).sort()).toEqual(['copy', 'kept']);
});

test('nothing goes where the kept file is no longer what was compared', async () => {
  const items = [await item('kept', 'cat'), await item('copy', 'cat')];
  await item('kept', 'dog');
  const { deleted, errors } = await deleteDuplicates(reportOf('kept', items));
  expect(deleted).toEqual([]);
  expect(errors).toEqual([
    {
      path: 'copy',
      error:
        'not deleted: kept, to be kept instead, cannot be relied on: it has changed since it was compared',
    },
  ]);
});
