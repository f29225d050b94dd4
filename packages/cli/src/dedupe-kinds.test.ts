import { existsSync } from 'node:fs';
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { animatedGif, animation, madeFrames, resized } from '../../../test/made-animation.ts';
import { madePage } from '../../../test/made-page.ts';
import { type DedupeJson, original, runCommand, temporaryFolder } from './test-command.ts';

test('copies of what cannot be decoded are found by their bytes, counted apart and deleted as any', async () => {
  const folder = await temporaryFolder();
  try {
    const cut = (await readFile(original('grass.jpg'))).subarray(0, 9000);
    const cat = await readFile(original('cat.jpg'));
    const files: [string, Uint8Array | string][] = [
      ['cat.jpg', cat],
      ['cat.heic', cat],
      ['cut.jpg', cut],
      ['sub/cut-copy.jpg', cut],
      ['raw/1.heic', 'of a camera'],
      ['raw/2.heic', 'of a camera'],
      ['raw/3.heic', 'of a phone!'],
      ['raw/other.nef', 'of another size'],
      ['empty.jpg', ''],
      ['empty-too.jpg', ''],
    ];
    for (const [name, content] of files)
      await utimes(await folder.write(`album/${name}`, content), 1_600_000_000, 1_600_000_000);
    const album = join(folder.root, 'album');
    const run = (...args: string[]) =>
      runCommand(['dedupe', album, ...args], { env: folder.env, input: 'yes\n' });

    const found = JSON.parse((await run('--json', '--rotations')).stdout) as DedupeJson;
    expect(found.groups.map(({ items }) => items.map(({ path, kind }) => `${path} ${kind}`))).toEqual([
      ['cat.heic exact', 'cat.jpg exact'],
      ['cut.jpg exact', 'sub/cut-copy.jpg exact'],
      ['raw/1.heic exact', 'raw/2.heic exact'],
    ]);
    expect(found.errors.map(({ path }) => path)).toEqual([
      'cut.jpg',
      'empty-too.jpg',
      'empty.jpg',
      'sub/cut-copy.jpg',
    ]);
    const csv = (await run('--csv')).stdout;
    expect(csv).toMatch(/^3,raw\/2\.heic,no,exact,1,,,,11,/m);

    const page = join(folder.root, 'page.html');
    const { stdout, stderr } = await run('--html', page, '--delete');
    expect(stdout).toMatch(/duplicate {2}same bytes {2}1\.0000 {2}not decoded {2}.* raw\/2\.heic$/m);
    expect(stdout).toMatch(/^3 groups, 3 duplicates .* among 1 picture and 9 files compared by bytes only /m);
    expect(stderr).toContain('10 files in ');
    expect(await readFile(page, 'utf8')).toContain('not decoded, 11 B, heic, ');
    expect(stderr).toContain('Deleted 3 files');
    expect(existsSync(join(album, 'raw/2.heic')) || existsSync(join(album, 'sub/cut-copy.jpg'))).toBe(false);
    expect(existsSync(join(album, 'raw/1.heic')) && existsSync(join(album, 'cut.jpg'))).toBe(true);

    // Also where nothing else is there, and in another folder; and no copy of them is no answer.
    const raw = (...args: string[]) =>
      runCommand(['dedupe', join(album, 'raw'), ...args], { env: folder.env });
    expect(await raw()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('(skipped: 3 in a picture format not supported)'),
    });
    await folder.write('backup/one.heic', 'of a camera');
    expect((await raw('--against', join(folder.root, 'backup'))).stdout).toContain(
      'among 0 pictures and 3 files compared by bytes only against 0 pictures and 1 file compared by bytes only',
    );
  } finally {
    await folder.remove();
  }
});

test('pictures that differ in what is transparent are not the same pixels', async () => {
  const folder = await temporaryFolder();
  try {
    const logo = (shape: string) =>
      sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">${shape}</svg>`));
    const star = logo('<polygon points="100,0 200,200 0,200" fill="white"/>');
    const circle = logo('<circle cx="100" cy="100" r="90" fill="white"/>');
    await folder.write('album/star.png', await star.png().toBuffer());
    await folder.write('album/star.webp', await star.webp({ lossless: true }).toBuffer());
    await folder.write('album/circle.png', await circle.png().toBuffer());
    const { stdout } = await runCommand(['dedupe', join(folder.root, 'album'), '--json'], {
      env: folder.env,
    });
    const { groups } = JSON.parse(stdout) as DedupeJson;
    expect(groups.map(({ items }) => items.map(({ path, kind }) => [path, kind]))).toEqual([
      [
        [expect.stringMatching(/^star/), 'exact'],
        [expect.stringMatching(/^star/), 'pixels'],
      ],
    ]);
  } finally {
    await folder.remove();
  }
});

test('animations that begin alike and go on differently are no pair, a still is in either', async () => {
  const folder = await temporaryFolder();
  try {
    const frames = await Promise.all(
      ['cat.jpg', 'rocket.jpg', 'coffee.jpg'].map((name) =>
        sharp(original(name)).resize(300, 200, { fit: 'fill' }).png().toBuffer(),
      ),
    );
    const of = (...numbers: number[]) => animation(numbers.map((number) => frames[number] as Buffer));
    const pictures = { still: sharp(frames[0]), one: of(0, 1, 2), two: of(0, 2, 1) };
    for (const [name, picture] of Object.entries(pictures))
      await folder.write(`album/${name}.webp`, await picture.webp({ lossless: true }).toBuffer());
    await folder.write('album/one.tif', await of(0, 1, 2).tiff({ compression: 'lzw' }).toBuffer());

    const album = join(folder.root, 'album');
    const { stdout } = await runCommand(['dedupe', album, '--json'], { env: folder.env });
    const { groups } = JSON.parse(stdout) as DedupeJson;
    const found = groups.map(({ items }) => items.map(({ path, kind }) => `${path} ${kind}`).sort());
    expect(found).toEqual([
      [
        expect.stringMatching(/^one\.tif (exact|pixels)$/),
        expect.stringMatching(/^one\.webp (exact|pixels)$/),
        'still.webp near',
      ],
    ]);
    expect(groups[0]?.keep).toMatch(/^one/);
    const table = await runCommand(['dedupe', album], { env: folder.env });
    expect(table.stdout).toMatch(/ 300 x 200, 3 frames .* one\.webp$/m);
    expect(table.stdout).toMatch(/ 300 x 200 .* still\.webp$/m);

    const compared = (a: string, b: string) =>
      runCommand(['compare', join(album, a), join(album, b), '--json']);
    const different = await compared('one.webp', 'two.webp');
    expect(different.status).toBe(1);
    expect(JSON.parse(different.stdout)).toMatchObject({ similarity: 1, same: false, by: 'frames' });
    const same = await compared('one.webp', 'one.tif');
    expect(JSON.parse(same.stdout)).toMatchObject({ same: true, by: 'pixels' });
  } finally {
    await folder.remove();
  }
});

test('animations are copies where they run alike: in another size, container or with other numbers of frames', async () => {
  const folder = await temporaryFolder();
  try {
    const [cat, coffee] = (await Promise.all(
      ['cat.jpg', 'coffee.jpg'].map((name) => madeFrames(original(name), 8)),
    )) as [Buffer[], Buffer[]];
    const held = cat.at(-1) as Buffer;
    const all = [...cat, held, held, held, held, ...coffee];
    const gif = await animatedGif(all);
    // Writers join equal frames into one.
    const joined = await sharp(gif, { pages: -1 }).gif({ effort: 1 }).toBuffer();
    expect((await sharp(joined).metadata()).pages).toBe(16);
    const album = {
      'all.gif': gif,
      'joined.gif': joined,
      'few-colours.gif': await resized(gif, 120).gif({ colours: 32, effort: 1 }).toBuffer(),
      'half.webp': await resized(gif, 90).webp({ quality: 50 }).toBuffer(),
      'every-second.webp': await animation(all.filter((_, frame) => frame % 2 === 0))
        .webp()
        .toBuffer(),
      'goes-back.gif': await animatedGif([...cat, ...cat.toReversed()]),
      'ends-early.gif': await animatedGif(cat),
      'ends-otherwise.gif': await animatedGif([...all.slice(0, -4), ...cat.slice(0, 4)]),
    };
    for (const [name, bytes] of Object.entries(album)) await folder.write(`album/${name}`, bytes);
    const path = (name: string) => join(folder.root, 'album', name);
    const dedupe = async (...args: string[]) => {
      const { stdout } = await runCommand(['dedupe', path('.'), ...args, '--json'], { env: folder.env });
      const { groups } = JSON.parse(stdout) as DedupeJson;
      return groups.map(({ keep, items }) => [keep, ...items.map((item) => item.path).sort()]);
    };
    const copies = ['all.gif', 'every-second.webp', 'few-colours.gif', 'half.webp', 'joined.gif'];
    expect(await dedupe()).toEqual([['all.gif', ...copies]]);
    // Again, from the cache; and each for itself: what is in the reference is all of it.
    await folder.write('library/one.webp', await animation(all).webp().toBuffer());
    await folder.write('library/still.png', coffee[0] as Buffer);
    const [found, ...more] = await dedupe('--against', join(folder.root, 'library'));
    expect(found?.slice(1).filter((name) => name in album)).toEqual(copies);
    expect(more).toEqual([]);

    await folder.write(
      'album/last-otherwise.gif',
      await animatedGif([...all.slice(0, -1), cat[0] as Buffer]),
    );
    for (const [name, answer] of Object.entries({
      'half.webp': { same: true },
      'last-otherwise.gif': { same: false, by: 'frames' },
    })) {
      const { stdout } = await runCommand(['compare', path('all.gif'), path(name), '--json']);
      expect(JSON.parse(stdout)).toMatchObject(answer);
    }
  } finally {
    await folder.remove();
  }
});

test('letters laid out alike are no copies of each other, a scan anew of one is', async () => {
  const letters = await temporaryFolder();
  for (const seed of [1, 2, 3, 4]) await letters.write(`letters/${seed}.png`, await madePage(seed));
  const again = await sharp(await madePage(2))
    .resize(420)
    .jpeg({ quality: 70 })
    .toBuffer();
  await letters.write('letters/again.jpg', again);
  const args = ['dedupe', join(letters.root, 'letters'), '--json'];
  const { stdout } = await runCommand(args, { env: letters.env });
  const { groups } = JSON.parse(stdout) as { groups: { items: { path: string }[] }[] };
  expect(groups.map(({ items }) => items.map(({ path }) => path).sort())).toEqual([['2.png', 'again.jpg']]);
  // Asked by similarity alone they are: to the encoder they hardly differ.
  const bySimilarity = await runCommand([...args, '--no-perceptual-hash'], { env: letters.env });
  expect(JSON.parse(bySimilarity.stdout).groups[0].items).toHaveLength(5);
  await letters.remove();
});

test('unrelated pictures only: status 1, and blank pictures match nothing but their equals', async () => {
  const folder = await temporaryFolder();
  const blank = (shade: number, width: number) =>
    sharp({ create: { width, height: 80, channels: 3, background: { r: shade, g: shade, b: shade } } });
  await folder.write('few/cat.jpg', await readFile(original('cat.jpg')));
  await folder.write('few/white.png', await blank(255, 100).png().toBuffer());
  await folder.write('few/grey.png', await blank(128, 100).png().toBuffer());
  await folder.write('few/wide.png', await blank(255, 120).png().toBuffer());
  const apart = await runCommand(['dedupe', join(folder.root, 'few'), '--json'], { env: folder.env });
  expect(apart.stdout).toBe('{"groups":[],"errors":[]}\n');
  expect(apart.status).toBe(1);

  await folder.write('few/white-too.tiff', await blank(255, 100).tiff().toBuffer());
  const { status, stdout } = await runCommand(['dedupe', join(folder.root, 'few'), '--json'], {
    env: folder.env,
  });
  expect(status).toBe(0);
  const { groups } = JSON.parse(stdout) as DedupeJson;
  expect(groups.map(({ items }) => items.map(({ path, kind }) => [path, kind]))).toEqual([
    [
      expect.arrayContaining([expect.stringMatching(/^white/), 'exact']),
      expect.arrayContaining([expect.stringMatching(/^white/), 'pixels']),
    ],
  ]);
  await folder.remove();
});
