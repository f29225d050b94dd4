import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BIN,
  type DedupeJson,
  original,
  runCommand,
  runProcess,
  TEST_PICTURES,
  temporaryFolder,
} from './test-command.ts';

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;
/** Twelve unrelated photographs, copies of five of them made in the usual ways, and files that are no pictures. */
async function photoLibrary(folder: Folder): Promise<void> {
  const library = join(folder.root, 'library');
  await mkdir(library);
  for (const name of [
    'astronaut.jpg',
    'bricks.jpg',
    'cat.jpg',
    'clock.png',
    'coffee.jpg',
    'galaxies.jpg',
    'grass.jpg',
    'photographer.jpg',
    'raccoon.jpg',
    'retina.jpg',
    'rocket.jpg',
    'stairs.jpg',
  ]) {
    await copyFile(original(name), join(library, name));
    await utimes(join(library, name), 1_600_000_000, 1_600_000_000);
  }
  const cat = sharp(original('cat.jpg'));
  const { width = 0, height = 0 } = await cat.metadata();
  await folder.write(
    'library/copies/cat-small.jpg',
    await cat
      .clone()
      .resize(Math.round(width / 2))
      .toBuffer(),
  );
  await folder.write('library/copies/cat-q40.jpg', await cat.clone().jpeg({ quality: 40 }).toBuffer());
  await folder.write('library/copies/cat.webp', await cat.clone().webp({ quality: 60 }).toBuffer());
  await folder.write('library/copies/cat.avif', await cat.clone().avif({ quality: 45 }).toBuffer());
  await folder.write(
    'library/copies/cat-cropped.jpg',
    await cat
      .clone()
      .extract({
        left: Math.round(width * 0.04),
        top: Math.round(height * 0.04),
        width: Math.round(width * 0.92),
        height: Math.round(height * 0.92),
      })
      .toBuffer(),
  );
  await folder.write('library/copies/cat-exact.jpg', await readFile(original('cat.jpg')));
  await folder.write('library/copies/cat-pixels.png', await cat.clone().png().toBuffer());
  await folder.write('library/coffee-mirrored.jpg', await sharp(original('coffee.jpg')).flop().toBuffer());
  await folder.write(
    'library/rocket-warm.jpg',
    await sharp(original('rocket.jpg')).modulate({ brightness: 1.15, saturation: 1.3 }).toBuffer(),
  );
  await folder.write(
    'library/astronaut-grey.jpg',
    await sharp(original('astronaut.jpg')).greyscale().toBuffer(),
  );
  await folder.write('library/retina.tiff', await sharp(original('retina.jpg')).tiff().toBuffer());
  await folder.write('library/raccoon.gif', await sharp(original('raccoon.jpg')).gif().toBuffer());

  await folder.write('library/empty.jpg', '');
  await folder.write('library/text.png', 'this is not a picture');
  await folder.write('library/cut.jpg', (await readFile(original('grass.jpg'))).subarray(0, 9000));
  await folder.write('library/notes.txt', 'neither, and it does not claim to be');
  await folder.write('library/.hidden/cat.jpg', await readFile(original('cat.jpg')));
  await symlink('..', join(library, 'loop'));
}

describe('dedupe on a folder of photographs', () => {
  let folder: Folder;
  let library: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    library = join(folder.root, 'library');
    await photoLibrary(folder);
  });
  afterAll(() => folder.remove());

  test('groups the copies and nothing else, and says what each is', async () => {
    const { status, stdout, stderr } = await runCommand(['dedupe', library, '--json'], { env: folder.env });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const found = JSON.parse(stdout) as DedupeJson;

    expect(found.groups.map(({ items }) => items.map(({ path }) => path).sort())).toEqual([
      ['astronaut-grey.jpg', 'astronaut.jpg'],
      [
        'cat.jpg',
        'copies/cat-cropped.jpg',
        'copies/cat-exact.jpg',
        'copies/cat-pixels.png',
        'copies/cat-q40.jpg',
        'copies/cat-small.jpg',
        'copies/cat.avif',
        'copies/cat.webp',
      ],
      ['coffee-mirrored.jpg', 'coffee.jpg'],
      ['raccoon.gif', 'raccoon.jpg'],
      ['retina.jpg', 'retina.tiff'],
      ['rocket-warm.jpg', 'rocket.jpg'],
    ]);
    const cat = found.groups.find(({ keep }) => keep === 'cat.jpg');
    const kinds = Object.fromEntries(cat?.items.map(({ path, kind }) => [path, kind]) ?? []);
    expect(kinds).toEqual({
      'cat.jpg': 'exact',
      'copies/cat-exact.jpg': 'exact',
      'copies/cat-pixels.png': 'pixels',
      'copies/cat-cropped.jpg': 'near',
      'copies/cat-q40.jpg': 'near',
      'copies/cat-small.jpg': 'near',
      'copies/cat.avif': 'near',
      'copies/cat.webp': 'near',
    });
    expect(cat?.items[0]?.path).toBe('cat.jpg');
    const retina = found.groups.find(({ keep }) => keep === 'retina.jpg');
    expect(retina?.items.map(({ kind, similarity }) => [kind, similarity])).toEqual([
      ['exact', 1],
      ['near', expect.any(Number)],
    ]);

    expect(found.errors.map(({ path }) => path)).toEqual(['cut.jpg', 'empty.jpg', 'text.png']);
    expect(found.errors.find(({ path }) => path === 'text.png')?.error).toMatch(/text/);
    expect(found.errors.find(({ path }) => path === 'empty.jpg')?.error).toMatch(/no bytes/);
  });

  test('prints exactly the documented shape', async () => {
    const { stdout } = await runCommand(['dedupe', library, '--json'], { env: folder.env });
    expect(stdout.endsWith('}\n')).toBe(true);
    const found = JSON.parse(stdout) as DedupeJson;
    expect(Object.keys(found)).toEqual(['groups', 'errors']);
    for (const group of found.groups) {
      expect(Object.keys(group)).toEqual(['keep', 'items']);
      expect(group.items.map(({ path }) => path)).toContain(group.keep);
      for (const item of group.items) {
        expect(Object.keys(item)).toEqual(['path', 'kind', 'similarity']);
        expect(item.similarity).toBeGreaterThan(0);
        expect(item.similarity).toBeLessThanOrEqual(1);
      }
    }
    for (const error of found.errors) expect(Object.keys(error)).toEqual(['path', 'error']);
  });

  test('prints a table for people, the errors by name after it, and plain text in a pipe', async () => {
    const { status, stdout, stderr } = await runCommand(['dedupe', library], { env: folder.env });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Group 2: 8 files, least alike 0\.\d\d/m);
    expect(stdout).toMatch(/^ {2}keep .* cat\.jpg$/m);
    expect(stdout).toMatch(/^ {2}duplicate {2}same pixels .* copies\/cat-pixels\.png$/m);
    expect(stdout).toMatch(/^6 groups, 12 duplicates \(.*\) among 24 pictures/m);
    expect(stderr).toMatch(/Could not read:\n {2}cut\.jpg: .*\n {2}empty\.jpg: .*\n {2}text\.png: /);
    expect(stderr).toMatch(/skipped: 1 not a picture, 1 symbolic link\)/);
    expect(stdout + stderr).not.toContain('\x1b');
    expect(stdout + stderr).not.toContain('\r');
  });

  test('prints CSV, and a report page that needs no other file', async () => {
    const page = join(folder.root, 'report.html');
    const { status, stdout } = await runCommand(['dedupe', library, '--csv', '--html', page], {
      env: folder.env,
    });
    expect(status).toBe(0);
    const [header, ...rows] = stdout.trimEnd().split('\r\n');
    expect(header).toBe('group,path,keep,kind,similarity,by,width,height,bytes,reason,weakest,transform');
    expect(rows.length).toBe(18);
    expect(rows.filter((row) => row.split(',')[2] === 'yes').length).toBe(6);
    const html = await readFile(page, 'utf8');
    expect(html.match(/src="data:image\/webp;base64,/g)?.length).toBe(18);
    expect(html).not.toMatch(/<script|<link|(src|href)="https?:/);
    expect(html).toContain('text.png');
  });

  test('CSV holds no path that a spreadsheet would run', async () => {
    const folder = await temporaryFolder();
    try {
      for (const name of ['=1+1.jpg', 'cat.jpg'])
        await folder.write(name, await readFile(original('cat.jpg')));
      const { stdout } = await runCommand(['dedupe', folder.root, '--csv'], { env: folder.env });
      const paths = stdout.split('\r\n').map((line) => line.split(',')[1]);
      expect(paths.slice(1, 3).sort()).toEqual(["'=1+1.jpg", 'cat.jpg']);
    } finally {
      await folder.remove();
    }
  });

  test('a higher similarity leaves only the surest copies, and 1 those that are equal', async () => {
    const { stdout } = await runCommand(['dedupe', library, '--json', '--min-similarity', '1'], {
      env: folder.env,
    });
    const found = JSON.parse(stdout) as DedupeJson;
    const cats = found.groups.find(({ keep }) => keep === 'cat.jpg');
    expect(cats?.items.map(({ path }) => path)).toContain('copies/cat-exact.jpg');
    expect(cats?.items.map(({ path }) => path)).not.toContain('copies/cat-small.jpg');
  });

  test('deletes nothing without the word yes, and with it all but the kept files', async () => {
    const doomed = await temporaryFolder();
    try {
      for (const name of ['a.jpg', 'b.jpg', 'sub/c.jpg'])
        await doomed.write(name, await readFile(original('cat.jpg')));
      await doomed.write('other.jpg', await readFile(original('rocket.jpg')));
      await utimes(join(doomed.root, 'b.jpg'), 1_500_000_000, 1_500_000_000);
      const run = (input: string, ...args: string[]) =>
        runCommand(['dedupe', doomed.root, ...args], { env: doomed.env, input });
      const there = () =>
        ['a.jpg', 'b.jpg', 'sub/c.jpg', 'other.jpg'].filter((name) => existsSync(join(doomed.root, name)));

      await run('yes\n');
      await run('y\n', '--delete');
      await run('', '--delete');
      expect(there()).toEqual(['a.jpg', 'b.jpg', 'sub/c.jpg', 'other.jpg']);
      const { status, stderr } = await run('yes\n', '--delete');
      expect(stderr).toContain('Deleted 2 files');
      expect(status).toBe(0);
      expect(there()).toEqual(['b.jpg', 'other.jpg']);
    } finally {
      await doomed.remove();
    }
  });
});

test('files renamed among each other are not taken for what they were', async () => {
  const folder = await temporaryFolder();
  try {
    // Of one size and age, as scanners write them.
    for (const [name, picture] of [
      ['scan1', 'cat.jpg'],
      ['scan2', 'rocket.jpg'],
      ['copy-of-1', 'cat.jpg'],
    ]) {
      const scan = sharp(original(picture as string)).resize(300, 200, { fit: 'fill' });
      const path = await folder.write(
        `scans/${name}.tif`,
        await scan.tiff({ compression: 'none' }).toBuffer(),
      );
      await utimes(path, 1_600_000_000, 1_600_000_000);
    }
    const scans = join(folder.root, 'scans');
    const dedupe = (...args: string[]) =>
      runCommand(['dedupe', scans, ...args], { env: folder.env, input: 'yes\n' });
    expect((await dedupe()).stdout).toContain('scan1.tif');
    const move = (from: string, to: string) => rename(join(scans, from), join(scans, to));
    await move('scan1.tif', 'other.tif');
    await move('scan2.tif', 'scan1.tif');
    await move('other.tif', 'scan2.tif');
    expect((await dedupe('--delete')).stderr).toContain('Deleted 1 file');
    expect((await readdir(scans)).sort()).toEqual(['copy-of-1.tif', 'scan1.tif']);
  } finally {
    await folder.remove();
  }
});

describe('dedupe on what is no folder of photographs', () => {
  let folder: Folder;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  test.each([
    ['an empty folder', 'empty', /no pictures in .*empty/],
    ['a folder that is not there', 'missing', /no such file or folder: .*missing/],
    ['a file', 'file.jpg', /is a file, expected a folder/],
    ['a folder of damaged files only', 'damaged', /no file in .*damaged could be read:\n {2}x\.jpg: /],
  ])('%s is a clear error', async (_, name, message) => {
    await mkdir(join(folder.root, 'empty'), { recursive: true });
    await folder.write('file.jpg', await readFile(original('cat.jpg')));
    await folder.write('damaged/x.jpg', 'text');
    const { status, stdout, stderr } = await runCommand(['dedupe', join(folder.root, name)], {
      env: folder.env,
    });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test('a report that has no place is said before anything is looked at', async () => {
    const album = await folder.write('album/cat.jpg', await readFile(original('cat.jpg')));
    const report = (path: string) =>
      runCommand(['dedupe', dirname(album), '--html', join(folder.root, path)], { env: folder.env });
    for (const [path, why] of [
      ['missing/report.html', /cannot write .*report\.html: there is no folder .*missing\n$/],
      ['album', /cannot write .*album: it is a folder, expected a file\n$/],
    ] as const)
      expect(await report(path)).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(why),
      });
  });

  test.each([
    ['no place, as in a read-only home', (root: string) => join(root, 'a file/cache')],
    ['something else in its place', (root: string) => join(root, 'bad-cache')],
  ])(
    'a cache with %s is named, with the way to another, and the work is done without it',
    async (_, place) => {
      const album = dirname(await folder.write('uncached/cat.jpg', await readFile(original('cat.jpg'))));
      await folder.write('uncached/copy.jpg', await readFile(original('cat.jpg')));
      await folder.write('a file', '');
      await mkdir(join(folder.root, 'bad-cache/pictures-5.sqlite'), { recursive: true });
      const env = { ...folder.env, LOOKALIKE_CACHE_DIR: place(folder.root) };
      for (const [command, output] of [
        [['dedupe', album], 'copy.jpg'],
        [['ingest', album, '--collection', 'a', '--data', join(folder.root, 'data')], '2'],
      ] as const) {
        const { status, stdout, stderr } = await runCommand(command, { env });
        expect(stderr).toMatch(/^Cannot use the cache in .*cache: .*LOOKALIKE_CACHE_DIR/);
        expect(stderr).not.toMatch(/\n {4}at /);
        expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining(output) });
      }
    },
  );

  test.each([
    [['dedupe'], /missing required argument 'folder'/],
    [['dedupe', '.', '--min-similarity', '2'], /above 0 and at most 1/],
    [['dedupe', '.', '--model', 'no-such-model'], /no model "no-such-model"/],
    [['dedup', '.'], /unknown command 'dedup'[\s\S]*dedupe/],
    [['dedupe', '.', '--jsn'], /unknown option '--jsn'/],
  ])('wrong usage %j is said in words', async (args, message) => {
    const { status, stderr } = await runCommand(args, { env: folder.env, cwd: TEST_PICTURES });
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

test('a run that Ctrl-C stopped is gone on with, not begun again', async () => {
  const folder = await temporaryFolder();
  const names = ['astronaut', 'cat', 'coffee', 'galaxies', 'grass', 'raccoon', 'retina', 'rocket', 'stairs'];
  const count = names.length * 9;
  try {
    for (const name of names) {
      const picture = sharp(original(`${name}.jpg`));
      for (let copy = 0; copy < 9; copy++)
        await folder.write(
          `photos/${name}-${copy}.jpg`,
          await picture
            .clone()
            .resize(400 + copy)
            .toBuffer(),
        );
    }
    const photos = join(folder.root, 'photos');
    const cache = join(folder.env.LOOKALIKE_CACHE_DIR, 'pictures-5.sqlite');
    const known = () => {
      if (!existsSync(cache)) return 0;
      const database = new DatabaseSync(cache, { readOnly: true, timeout: 5000 });
      const table = database.prepare("select 1 from sqlite_master where name = 'embeddings'").get();
      const row = table && database.prepare('select count(*) as count from embeddings').get();
      database.close();
      return (row?.count as number | undefined) ?? 0;
    };

    const child = spawn(process.execPath, [BIN, 'dedupe', photos, '--json'], {
      env: { ...process.env, ...folder.env },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const output: string[] = [];
    child.stdout.on('data', (text) => output.push(String(text)));
    while (known() === 0 && child.exitCode === null) await setTimeout(20);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(output).toEqual([]);
    const before = known();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(count);

    const { status, stdout, stderr } = await runCommand(['dedupe', photos], { env: folder.env });
    expect(status).toBe(0);
    expect(stdout).toContain(`among ${count} pictures`);
    expect(stderr).toContain(`${count} files in`);
    expect(stderr).toContain(`${before} known from before`);
    expect(known()).toBe(count);
  } finally {
    await folder.remove();
  }
});

test.skipIf(!existsSync('/usr/bin/script'))(
  'on a terminal there is a progress bar, gone before the result',
  async () => {
    const folder = await temporaryFolder();
    try {
      const line = `${JSON.stringify(process.execPath)} ${JSON.stringify(BIN)} dedupe ${JSON.stringify(TEST_PICTURES)}`;
      const { stdout } = await runProcess('/usr/bin/script', ['-qec', line, '/dev/null'], {
        env: { ...folder.env, TERM: 'xterm-256color' },
      });
      expect(stdout).toMatch(/\r[█░]{24} Looking at \d+\/12 pictures/);
      // The bar is taken away before the result is printed.
      expect(stdout.slice(stdout.lastIndexOf('\r\x1b[K'))).toMatch(/No duplicates among 12 pictures/);
    } finally {
      await folder.remove();
    }
  },
);
