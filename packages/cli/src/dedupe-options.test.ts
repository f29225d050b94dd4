import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DedupeJson, original, runCommand, temporaryFolder } from './test-command.ts';

describe('dedupe', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());
  const dedupe = async (...args: string[]): Promise<DedupeJson> => {
    const { stdout, stderr } = await runCommand(['dedupe', ...args, '--json'], {
      env: folder.env,
      cwd: folder.root,
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };

  test('--rotations finds mirrored and turned copies and says how each comes from the kept one', async () => {
    const cat = sharp(original('cat.jpg'));
    const coffee = sharp(original('coffee.jpg'));
    // Turned as pixels, not by an EXIF orientation: sharp does one turn and one mirroring a pipeline.
    const mirroredAndTurned = await sharp(await coffee.clone().flop().png().toBuffer())
      .rotate(90)
      .jpeg()
      .toBuffer();
    await mkdir(join(folder.root, 'turned'));
    await copyFile(original('cat.jpg'), join(folder.root, 'turned', 'cat.jpg'));
    await copyFile(original('coffee.jpg'), join(folder.root, 'turned', 'coffee.jpg'));
    await copyFile(original('rocket.jpg'), join(folder.root, 'turned', 'rocket.jpg'));
    await folder.write('turned/left.jpg', await cat.clone().rotate(270).jpeg({ quality: 60 }).toBuffer());
    await folder.write('turned/upside-down.webp', await cat.clone().rotate(180).webp().toBuffer());
    await folder.write('turned/mirror.jpg', await coffee.clone().flop().resize(400).toBuffer());
    await folder.write('turned/both.jpg', mirroredAndTurned);

    const { groups } = await dedupe('turned', '--rotations', '--min-similarity', '0.9');
    const transforms = groups.map(({ keep, items }) => [
      keep,
      Object.fromEntries(items.map(({ path, transform }) => [path, transform])),
    ]);
    expect(transforms).toEqual([
      ['cat.jpg', { 'cat.jpg': 'none', 'left.jpg': 'rotated 270', 'upside-down.webp': 'rotated 180' }],
      ['coffee.jpg', { 'coffee.jpg': 'none', 'mirror.jpg': 'mirrored', 'both.jpg': 'mirrored, rotated 90' }],
    ]);
  });

  test('--against finds what is in another folder already, and --delete touches only the first', async () => {
    for (const name of ['cat.jpg', 'rocket.jpg', 'stairs.jpg'])
      await folder.write(`library/${name}`, await readFile(original(name)));
    await folder.write('inbox/sub/stairs-again.jpg', await readFile(original('stairs.jpg')));
    await folder.write('inbox/cat.png', await sharp(original('cat.jpg')).png().toBuffer());
    await folder.write(
      'inbox/rocket.webp',
      await sharp(original('rocket.jpg')).resize(400).webp().toBuffer(),
    );
    await folder.write('inbox/new.jpg', await readFile(original('coffee.jpg')));
    await folder.write('inbox/new-too.jpg', await readFile(original('coffee.jpg')));

    const { groups } = await dedupe('inbox', '--against', 'library');
    expect(groups.map(({ items }) => items.map(({ path, kind }) => `${path} ${kind}`))).toEqual([
      ['../library/cat.jpg exact', 'cat.png pixels'],
      ['../library/rocket.jpg exact', 'rocket.webp near'],
      ['../library/stairs.jpg exact', 'sub/stairs-again.jpg exact'],
    ]);
    // Each folder has its own count.
    const table = await runCommand(
      ['dedupe', 'inbox', '--against', 'library', '--html', join(folder.root, 'page.html')],
      { env: folder.env, cwd: folder.root },
    );
    expect(table.stdout).toMatch(
      /^3 groups, 3 duplicates \(.*\) among 5 pictures against 3 pictures in library \(/m,
    );
    expect(table.stderr).toContain('5 files against 3 files in ');
    const page = await readFile(join(folder.root, 'page.html'), 'utf8');
    expect(page).toContain(' among 5 pictures against 3 pictures in library.</p>');

    const { stderr } = await runCommand(['dedupe', 'inbox', '--against', 'library', '--delete'], {
      env: folder.env,
      cwd: folder.root,
      input: 'yes\n',
    });
    expect(stderr).toContain('Deleted 3 files');
    const there = ['inbox/new.jpg', 'inbox/new-too.jpg', 'library/cat.jpg', 'library/rocket.jpg'];
    for (const path of there) expect(existsSync(join(folder.root, path))).toBe(true);
    expect(existsSync(join(folder.root, 'inbox/cat.png'))).toBe(false);

    // A folder within the other: a file counts once, on the inner one's side.
    await folder.write('library/new/cat-copy.jpg', await readFile(original('cat.jpg')));
    const nested = await dedupe('library/new', '--against', 'library');
    expect(nested.groups.map(({ items }) => items.map(({ path }) => path))).toEqual([
      ['../cat.jpg', 'cat-copy.jpg'],
    ]);
  });

  test('--against with nothing on one side is an error that names the side', async () => {
    await folder.write('one/a.jpg', await readFile(original('cat.jpg')));
    await folder.write('one/sub/b.jpg', await readFile(original('cat.jpg')));
    await folder.write('all/one/c.jpg', await readFile(original('cat.jpg')));
    await folder.write('broken/x.jpg', 'text');
    for (const [own, reference, why] of [
      ['broken', 'one', /no file in broken could be read:\n {2}x\.jpg: /],
      ['one', 'broken', /no file in broken could be read:\n {2}\.\.\/broken\/x\.jpg: /],
      ['all', 'all/one', /no pictures in all but those in all\/one\n$/],
      ['all/one', 'all', /no pictures in all but those in all\/one\n$/],
    ] as const)
      expect(
        await runCommand(['dedupe', own, '--against', reference], { env: folder.env, cwd: folder.root }),
      ).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(why) });
  });

  test('a pair said to be different stays apart until that is undone', async () => {
    await folder.write('verdict/a.jpg', await readFile(original('grass.jpg')));
    await folder.write('verdict/b.jpg', await sharp(original('grass.jpg')).jpeg({ quality: 50 }).toBuffer());
    const run = (...args: string[]) => runCommand(args, { env: folder.env, cwd: folder.root });
    expect((await dedupe('verdict')).groups.length).toBe(1);
    expect((await run('different', 'verdict/a.jpg', 'verdict/b.jpg')).status).toBe(0);
    expect((await dedupe('verdict')).groups).toEqual([]);
    // It goes by content: a new copy of one side is kept apart as well, and grouped with its equal.
    await folder.write('verdict/c.jpg', await readFile(original('grass.jpg')));
    expect((await dedupe('verdict')).groups.map(({ items }) => items.map(({ path }) => path))).toEqual([
      ['a.jpg', 'c.jpg'],
    ]);
    await run('different', 'verdict/b.jpg', 'verdict/c.jpg', '--undo');
    expect((await dedupe('verdict')).groups[0]?.items.length).toBe(3);

    const same = await run('different', 'verdict/a.jpg', 'verdict/c.jpg');
    expect(same).toMatchObject({ status: 2, stderr: expect.stringContaining('byte for byte') });
    await folder.write('.config/verdicts.jsonl', 'nonsense\n');
    const broken = await run('dedupe', 'verdict');
    expect(broken).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/verdicts\.jsonl:1: expected/),
    });
    await folder.write('.config/verdicts.jsonl', '');
  });

  test('--min-precision chooses the similarity, and says which', async () => {
    await folder.write('few/cat.jpg', await readFile(original('cat.jpg')));
    await folder.write('few/cat-small.jpg', await sharp(original('cat.jpg')).resize(300).toBuffer());
    await folder.write('few/coffee.jpg', await readFile(original('coffee.jpg')));
    await folder.write('few/rocket.jpg', await readFile(original('rocket.jpg')));
    const { status, stdout } = await runCommand(['dedupe', 'few', '--min-precision', '0.95'], {
      env: folder.env,
      cwd: folder.root,
    });
    expect(status).toBe(0);
    const [, similarity, share] =
      /similarity of at least (0\.\d+), an estimated ([\d.]+) % of pairs right/.exec(stdout) ?? [];
    expect(Number(share)).toBeGreaterThanOrEqual(95);
    expect(Number(similarity)).toBeLessThan(1);
    expect(stdout).toContain('cat-small.jpg');
    const both = await runCommand(['dedupe', 'few', '-p', '0.95', '-s', '0.9'], {
      env: folder.env,
      cwd: folder.root,
    });
    expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot be used with') });
  });
});
