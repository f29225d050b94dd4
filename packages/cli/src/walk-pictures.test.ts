import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolderStore } from '@lookalike/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';
import { skippedText, walkPictures } from './walk-pictures.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** Work as somebody who may not read what only its owner may: root may read everything. */
async function asOthers<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

async function withLockedFolder(): Promise<string> {
  await folder.write('album/cat.jpg', await readFile(join(TEST_PICTURES, 'cat.jpg')));
  await folder.write('album/notes.txt', 'text');
  const locked = join(folder.root, 'album/lost+found');
  await mkdir(locked);
  await chmod(folder.root, 0o755);
  await chmod(locked, 0o000);
  return join(folder.root, 'album');
}

test('a data folder of Lookalike is not gone into, wherever it lies', async () => {
  const cat = await readFile(join(TEST_PICTURES, 'cat.jpg'));
  await folder.write('album/cat.jpg', cat);
  const store = await openFolderStore(join(folder.root, 'album/2024/lookalike-data'));
  await store.put('collections/photos/thumbnail.jpg', cat);
  const walk = await walkPictures(join(folder.root, 'album'));
  expect(walk.files.map(({ path }) => path)).toEqual(['cat.jpg']);
  expect(skippedText(walk)).toBe(' (skipped: 1 data folder of Lookalike)');
  await expect(walkPictures(join(folder.root, 'album/2024/lookalike-data'))).rejects.toThrow(
    /no pictures in .* \(skipped: 1 data folder of Lookalike\)$/,
  );
});

test.skipIf(process.platform === 'win32')(
  'a folder below that cannot be read is told of and stops nothing',
  async () => {
    const album = await withLockedFolder();
    const walk = await asOthers(() => walkPictures(album));
    expect(walk.files.map(({ path }) => path)).toEqual(['cat.jpg']);
    expect(walk.errors).toEqual([{ path: 'lost+found/', error: `not allowed: ${album}/lost+found` }]);
    expect(skippedText(walk)).toBe(' (skipped: 1 not a picture)');
    await chmod(album, 0o000);
    await expect(asOthers(() => walkPictures(album))).rejects.toMatchObject({ code: 'EACCES' });
    await chmod(album, 0o755);
  },
);

test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
  'dedupe and ingest say which folder they could not read',
  async () => {
    const album = await withLockedFolder();
    const { stdout } = await runCommand(['dedupe', album, '--json'], { env: folder.env });
    expect(JSON.parse(stdout).errors).toContainEqual({
      path: 'lost+found/',
      error: expect.stringContaining('not allowed'),
    });
    const data = join(folder.root, 'data');
    const ingest = await runCommand(['ingest', album, '-c', 'c', '--data', data, '--json'], {
      env: folder.env,
    });
    expect(JSON.parse(ingest.stdout).errors[0].path).toBe('lost+found/');
  },
);

// Other systems have no such names.
test.runIf(process.platform === 'linux')(
  'a name that is not UTF-8 is told as the reason, not as a missing file',
  async () => {
    const cat = await readFile(join(TEST_PICTURES, 'cat.jpg'));
    await folder.write('album/cat.jpg', cat);
    const latin1 = (name: string) => Buffer.from(join(folder.root, 'album', name), 'latin1');
    await writeFile(latin1('café.jpg'), cat);
    await mkdir(latin1('été'));
    const { env } = folder;
    const [deduped, ingested] = await Promise.all([
      runCommand(['dedupe', join(folder.root, 'album'), '--json'], { env }),
      runCommand(
        ['ingest', join(folder.root, 'album'), '-c', 'c', '--data', join(folder.root, 'data'), '--json'],
        {
          env,
        },
      ),
    ]);
    for (const { stdout } of [deduped, ingested]) {
      const { errors } = JSON.parse(stdout) as { errors: { path: string; error: string }[] };
      expect(errors.map(({ path }) => path).sort()).toEqual(['caf\ufffd.jpg', '\ufffdt\ufffd/']);
      for (const { error } of errors) expect(error).toContain('its name is not UTF-8');
    }
  },
);
