import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { madePage } from '../../../test/made-page.ts';
import { runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';

describe('compare', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const cat = join(TEST_PICTURES, 'cat.jpg');
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  test('prints exactly the documented JSON, and ends with 0 for the same', async () => {
    const small = await folder.write('small.webp', await sharp(cat).resize(200).webp().toBuffer());
    const { status, stdout } = await runCommand(['compare', cat, small, '--json']);
    expect(status).toBe(0);
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer)).toEqual([
      'euclidean',
      'cosine',
      'absolute',
      'similarity',
      'same',
      'by',
      'threshold',
      'falsePositiveRate',
      'falseRejectRate',
    ]);
    expect(answer.same).toBe(true);
    expect(answer.similarity).toBeGreaterThan(answer.threshold);
    expect(answer.falsePositiveRate).toBeGreaterThan(0);
    expect(answer.falseRejectRate).toBeGreaterThan(0);
    // Both are L2-normalised: |a - b|^2 = 2 (1 - cos).
    expect(answer.euclidean ** 2).toBeCloseTo(2 * answer.cosine, 4);
    expect(answer.similarity).toBeCloseTo(1 - answer.cosine, 6);
  });

  test('equal pictures are at distance 0; different ones end with 1', async () => {
    const equal = await runCommand(['compare', cat, cat, '--json', '--threshold', '1']);
    expect(JSON.parse(equal.stdout)).toEqual({
      euclidean: 0,
      cosine: 0,
      absolute: 0,
      similarity: 1,
      same: true,
      by: 'embedding',
      threshold: 1,
      falsePositiveRate: null,
      falseRejectRate: null,
    });
    const { status, stdout } = await runCommand(['compare', cat, join(TEST_PICTURES, 'rocket.jpg')]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^Different: similarity 0\.\d{4}, threshold/);
  });

  const blank = (background: string) =>
    sharp({ create: { width: 800, height: 1100, channels: 3, background } })
      .png()
      .toBuffer();
  test.each([
    ['two pages of text', [() => madePage(1), () => madePage(2)], { same: false, by: 'page' }],
    [
      'two copies of a page',
      [
        () => madePage(1),
        async () =>
          sharp(await madePage(1))
            .webp()
            .toBuffer(),
      ],
      {},
    ],
    ['blank white and blank grey', [() => blank('white'), () => blank('#eeeeee')], { by: 'low-information' }],
    [
      'a picture and a tiny copy',
      [
        () => readFile(join(TEST_PICTURES, 'bricks.jpg')),
        () => sharp(join(TEST_PICTURES, 'bricks.jpg')).resize(32).png().toBuffer(),
      ],
      { same: true, by: 'perceptual-hash' },
    ],
  ])('says of %s what dedupe says', async (name, [first, second], expected) => {
    const a = await folder.write(`${name}/a.jpg`, (await first?.()) as Buffer);
    const b = await folder.write(`${name}/b.jpg`, (await second?.()) as Buffer);
    const { env } = folder;
    const deduped = await runCommand(['dedupe', join(folder.root, name), '--json'], { env });
    const { groups } = JSON.parse(deduped.stdout);
    const { status, stdout } = await runCommand(['compare', a, b, '--json']);
    const answer = JSON.parse(stdout);
    expect({ ...answer, ...expected }).toEqual(answer);
    expect(answer.same).toBe(groups.length === 1);
    expect(status).toBe(answer.same ? 0 : 1);
    if (answer.same) expect(groups[0].items[1].by ?? 'embedding').toBe(answer.by);
    else {
      // A threshold of one's own looks at the similarity alone.
      const own = await runCommand(['compare', a, b, '--json', '--threshold', String(answer.threshold)]);
      expect(JSON.parse(own.stdout)).toMatchObject({ same: true, by: 'embedding' });
    }
  });

  test('goes on, and says so, where a picture cannot be read at full size', async () => {
    const large = sharp(cat).resize(1600, 1200, { fit: 'fill' });
    const a = await folder.write('large/a.jpg', await large.clone().jpeg({ quality: 95 }).toBuffer());
    const b = await folder.write('large/b.jpg', await large.clone().jpeg({ quality: 80 }).toBuffer());
    // A quarter of it is enough to decode a JPEG scaled down, and not at its own size.
    const env = { ...folder.env, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '32' };
    const deduped = await runCommand(['dedupe', join(folder.root, 'large'), '--json'], { env });
    expect(JSON.parse(deduped.stdout).groups).toHaveLength(1);
    const { status, stdout, stderr } = await runCommand(['compare', a, b, '--json'], { env });
    expect(stderr).toContain(`The pixels of ${a} were not compared: the picture is 1600 x 1200`);
    expect(status).toBe(0);
    const unread = { code: 'picture-too-many-pixels', message: expect.stringContaining('1600 x 1200') };
    expect(JSON.parse(stdout)).toMatchObject({
      same: true,
      by: 'embedding',
      unreadPixels: { a: unread, b: unread },
    });
  });

  test('names the file that cannot be compared', async () => {
    const text = await folder.write('text.jpg', 'words');
    const { status, stderr } = await runCommand(['compare', cat, text]);
    expect(status).toBe(2);
    expect(stderr).toContain(`${text}: the content is text`);
  });
});

test('models lists the default model with its thresholds', async () => {
  const { status, stdout } = await runCommand(['models', '--json']);
  expect(status).toBe(0);
  const { models } = JSON.parse(stdout) as {
    models: { name: string; isDefault: boolean; defaultThreshold: number }[];
  };
  const chosen = models.filter(({ isDefault }) => isDefault);
  expect(chosen.length).toBe(1);
  const plain = await runCommand(['models']);
  expect(plain.stdout).toContain(`${chosen[0]?.name} (default)`);
  expect(plain.stdout).toContain(`similarity ${chosen[0]?.defaultThreshold}`);
});
