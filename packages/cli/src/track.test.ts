import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';

const STEP = 6;

describe('track', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let frames: string;
  /** The cat's eye over a cup of coffee, a few pixels further right in every frame. */
  beforeAll(async () => {
    folder = await temporaryFolder();
    frames = join(folder.root, 'frames');
    const object = await sharp(join(TEST_PICTURES, 'cat.jpg'))
      .extract({ left: 150, top: 90, width: 80, height: 60 })
      .resize(40, 30)
      .toBuffer();
    for (let i = 0; i < 12; i++) {
      const frame = sharp(join(TEST_PICTURES, 'coffee.jpg')).resize(240, 160, { fit: 'fill' });
      const bytes = await frame
        .composite([{ input: object, left: 40 + STEP * i, top: 60 }])
        .jpeg({ quality: 92 })
        .toBuffer();
      // Without leading zeros: 9 comes before 10.
      await folder.write(`frames/${i}.jpg`, bytes);
    }
  });
  afterAll(() => folder.remove());
  const BOX = ['--box', '40,60,40,30'];

  test('prints boxes as JSON, in the order of the numbers, and writes an animation', async () => {
    const out = join(folder.root, 'tracked.webp');
    const { status, stdout, stderr } = await runCommand(['track', frames, ...BOX, '--json', '--out', out]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer)).toEqual(['model', 'lostBelow', 'framesPerSecond', 'frames']);
    expect(answer.model).toBe('tracking');
    expect(answer.framesPerSecond).toBeGreaterThan(0);
    expect(answer.frames.map(({ path }: { path: string }) => path)).toEqual(
      Array.from({ length: 12 }, (_, i) => `${i}.jpg`),
    );
    for (const [i, { box, score }] of answer.frames.entries()) {
      expect(Math.abs(box.x + box.width / 2 - (60 + STEP * i))).toBeLessThan(5);
      expect(Math.abs(box.y + box.height / 2 - 75)).toBeLessThan(5);
      expect(score).toBeGreaterThan(answer.lostBelow);
    }
    const animation = await sharp(out, { animated: true }).metadata();
    expect(animation).toMatchObject({ format: 'webp', pages: 12, width: 240, pageHeight: 160 });
  });

  test('writes frames with the box drawn in, and boxes.json, into a folder', async () => {
    const out = join(folder.root, 'drawn');
    const { status, stdout } = await runCommand(['track', frames, ...BOX, '--out', out]);
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(12);
    expect(stdout).toMatch(/^0\.jpg\t40\.0,60\.0,40\.0,30\.0\t1\.000\n/);
    expect((await readdir(out)).filter((name) => name.endsWith('.jpg'))).toHaveLength(12);
    const { frames: kept } = JSON.parse(await readFile(join(out, 'boxes.json'), 'utf8'));
    expect(kept).toHaveLength(12);
    const [drawn, plain] = await Promise.all(
      [join(out, '0.jpg'), join(frames, '0.jpg')].map((file) => sharp(file).raw().toBuffer()),
    );
    // Green on the edge of the box; the far corner of the frame as it was.
    const at = (60 * 240 + 50) * 3;
    expect((drawn?.[at + 1] as number) - (drawn?.[at] as number)).toBeGreaterThan(60);
    expect(Math.abs((drawn?.[0] as number) - (plain?.[0] as number))).toBeLessThan(12);
  });

  const refused: [string, () => string[], string][] = [
    ['a box outside of the frame', () => [frames, '--box', '220,60,40,30'], '0.jpg: the box 220,60,40,30'],
    ['a box that is none', () => [frames, '--box', '1,2,3'], 'Expected four numbers'],
    ['no box', () => [frames], '--box'],
    ['a folder that is not there', () => [join(folder.root, 'none'), ...BOX], 'no such file or folder'],
    ['a folder without frames', () => [join(folder.root, 'empty'), ...BOX], 'no pictures in'],
    ['a model that cannot track', () => [frames, ...BOX, '-m', 'near-duplicate'], 'cannot track'],
    ['an output that is a file', () => [frames, ...BOX, '--out', join(frames, '0.jpg')], 'expected a folder'],
  ];
  test.each(refused)('%s is refused with a reason', async (_, args, words) => {
    await mkdir(join(folder.root, 'empty'), { recursive: true });
    const { status, stdout, stderr } = await runCommand(['track', ...args()]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(words);
  });

  const occupied: [string, () => string, string][] = [
    ['the folder of the frames', () => frames, 'is the folder of the frames'],
    ['the same by another name', () => join(folder.root, 'link'), 'is the folder of the frames'],
    ['a new folder in it', () => join(folder.root, 'link/new/drawn'), 'is in the folder of the frames'],
    ['an animation in it', () => join(frames, 'drawn.webp'), 'is in the folder of the frames'],
    ['a folder of other files', () => join(folder.root, 'album'), 'holds other files'],
    ['one of the frames', () => join(folder.root, 'stills/1.webp'), 'is one of the frames'],
    ['a film', () => join(folder.root, 'film.MP4'), 'ends in .mp4, expected a file that ends in .webp'],
    ['another animation', () => join(folder.root, 'film.gif'), 'ends in .gif, expected a file'],
  ];
  test.each(occupied)('%s is no place for drawn frames, and stays as it was', async (_, out, words) => {
    const photo = await folder.write('album/0.jpg', 'a photograph');
    await folder.write('stills/1.webp', await sharp(join(frames, '0.jpg')).webp().toBuffer());
    await symlink(frames, join(folder.root, 'link')).catch(() => undefined);
    const before = await readFile(join(frames, '0.jpg'));
    const names = await readdir(frames);
    const source = words.includes('one of') ? join(folder.root, 'stills') : frames;
    const { status, stdout, stderr } = await runCommand(['track', source, ...BOX, '--out', out()]);
    expect(stderr).toContain(words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect((await readFile(join(frames, '0.jpg'))).equals(before)).toBe(true);
    expect(await readdir(frames)).toEqual(names);
    expect(await readFile(photo, 'utf8')).toBe('a photograph');
  });

  test('an earlier run is written over', async () => {
    const out = join(folder.root, 'again');
    for (const box of ['40,60,40,30', '30,60,40,30']) {
      const { status } = await runCommand(['track', frames, '--box', box, '--out', out]);
      expect(status).toBeLessThan(2);
      const { frames: kept } = JSON.parse(await readFile(join(out, 'boxes.json'), 'utf8'));
      expect(kept[0].box.x).toBe(Number(box.slice(0, 2)));
    }
  });

  test('a frame of another size is named', async () => {
    const mixed = await temporaryFolder();
    try {
      await mixed.write('f/1.jpg', await readFile(join(frames, '0.jpg')));
      await mixed.write('f/2.jpg', await sharp(join(frames, '1.jpg')).resize(120).toBuffer());
      const { status, stderr } = await runCommand(['track', join(mixed.root, 'f'), ...BOX]);
      expect(status).toBe(2);
      expect(stderr).toContain('2.jpg: the frame is 120 x 80 pixels, the first one is 240 x 160');
    } finally {
      await mixed.remove();
    }
  });

  test('Ctrl-C ends it, and leaves no half file and nothing in the way of the next run', async () => {
    const long = await temporaryFolder();
    try {
      const frame = await readFile(join(frames, '0.jpg'));
      await Promise.all(Array.from({ length: 1200 }, (_, i) => long.write(`f/${i}.jpg`, frame)));
      const out = join(long.root, 'out');
      let stopped = false;
      const { status } = await runCommand(['track', join(long.root, 'f'), ...BOX, '--out', out], {
        // The first plain line of progress comes after five seconds.
        onStderr: (text, kill) => {
          if (!stopped && text.includes('Tracking')) {
            stopped = true;
            kill('SIGINT');
          }
        },
      });
      expect(status).toBe(130);
      const names = await readdir(out);
      expect(names).not.toContain('boxes.json');
      expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
      const drawn = names.filter((name) => name.endsWith('.jpg'));
      expect(drawn).not.toEqual([]);
      for (const name of drawn) expect((await sharp(join(out, name)).metadata()).width).toBe(240);

      await Promise.all(Array.from({ length: 1197 }, (_, i) => rm(join(long.root, `f/${i}.jpg`))));
      const again = await runCommand(['track', join(long.root, 'f'), ...BOX, '--out', out]);
      expect(again.status).toBe(0);
      expect((await readdir(out)).filter((name) => !name.endsWith('.jpg'))).toEqual(['boxes.json']);
    } finally {
      await long.remove();
    }
  });
});
