import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import { decodeFullSize, decodePicture, pixelHash, thumbnail } from './decode.ts';
import { blackPng, PICTURES_FOLDER, TARGET, testPicture } from './test-pictures.ts';

/** 451 x 300. */
const CAT = testPicture('cat.jpg');
const cat = () => sharp(CAT);

test('what takes more memory than allowed is refused, by format and by what is made of it', async () => {
  const pixels = 451 * 300;
  const tooDear = (megabytes: RegExp) => ({
    code: 'picture-too-many-pixels',
    message: expect.stringMatching(megabytes),
  });
  const avif = await cat().avif({ effort: 0 }).toBuffer();
  const limits = { maxDecodeBytes: 10 * pixels };
  for (const read of [() => decodePicture(avif, TARGET, { limits }), () => thumbnail(avif, 64, { limits })])
    await expect(read()).rejects.toMatchObject(tooDear(/451 x 300.* AVIF .*2\.6 MiB.* 1\.3 MiB are allowed/));
  await expect(
    decodePicture(avif, TARGET, { limits: { maxDecodeBytes: 20 * pixels } }),
  ).resolves.toBeDefined();

  const progressive = await cat().jpeg({ progressive: true }).toBuffer();
  const little = { maxDecodeBytes: 5 * pixels };
  await expect(decodePicture(progressive, TARGET, { limits: little })).rejects.toMatchObject(tooDear(/JPEG/));
  await expect(decodePicture(CAT, TARGET, { limits: little })).resolves.toBeDefined();
  await expect(pixelHash(CAT, { limits: little })).resolves.toBeDefined();
  await expect(decodeFullSize(CAT, { limits: little })).rejects.toMatchObject(tooDear(/JPEG/));
});

test('by default a quarter of the memory of a Lambda function may be taken', async () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', '128');
  vi.resetModules();
  try {
    const { decodePicture } = await import('./decode.ts');
    const avif = await cat().resize(1500, 1200, { fit: 'fill' }).avif({ effort: 0 }).toBuffer();
    await expect(decodePicture(avif, TARGET)).rejects.toMatchObject({
      code: 'picture-too-many-pixels',
      message: expect.stringContaining('at most 32 MiB'),
    });
    const photograph = await cat().resize(4500, 3000).jpeg().toBuffer();
    await expect(decodePicture(photograph, TARGET)).resolves.toMatchObject({ facts: { width: 4500 } });
  } finally {
    vi.unstubAllEnvs();
    vi.resetModules();
  }
});

test('pictures that were decoded are not kept in memory', async () => {
  const picture = blackPng(1000, 1000);
  const decodeSome = async (count: number) => {
    for (let i = 0; i < count; i++) await pixelHash(picture);
    return process.memoryUsage.rss();
  };
  const before = await decodeSome(40);
  const after = await decodeSome(150);
  // 450 MB of pixels; the allocator and the collector are some of them behind.
  expect((after - before) / 2 ** 20).toBeLessThan(200);
});

describe.runIf(process.platform === 'linux')('memory taken is at most as estimated', () => {
  const megapixels = 12;
  const large = () => cat().resize(4000, 3000, { fit: 'fill' });
  const deep = () => large().ensureAlpha().toColourspace('rgb16');
  const files: [string, () => Sharp][] = [
    ['progressive jpeg', () => large().jpeg({ progressive: true, chromaSubsampling: '4:4:4' })],
    ['jpeg', () => large().jpeg()],
    ['turned jpeg', () => large().jpeg().withMetadata({ orientation: 6 })],
    ['interlaced png of 16 bits', () => deep().png({ compressionLevel: 1, progressive: true })],
    ['webp', () => large().webp({ effort: 0 })],
    ['avif', () => large().avif({ effort: 0 })],
    ['avif of 10 bits', () => large().avif({ effort: 0, bitdepth: 10 })],
    ['gif', () => large().gif({ effort: 1 })],
  ];
  // In a process of its own, whose peak is that of one picture. It says what the estimate was where that is refused.
  const measure = (file: string) => `
    const { decodePicture, pixelHash } = await import(${JSON.stringify(import.meta.resolve('./decode.ts'))});
    const { readFileSync } = await import('node:fs');
    const read = { decode: (bytes, limits) => decodePicture(bytes, ${JSON.stringify(TARGET)}, { limits }),
      hash: (bytes, limits) => pixelHash(bytes, { limits }) }[process.argv[1]];
    await read(readFileSync(${JSON.stringify(`${PICTURES_FOLDER}cat.jpg`)}));
    const bytes = readFileSync(${JSON.stringify(file)});
    const peak = () => Number(/VmHWM:\\s*(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const before = peak();
    await read(bytes, { maxBytes: 1e9 });
    const taken = peak() - before;
    const { message } = await read(bytes, { maxBytes: 1e9, maxDecodeBytes: 0 }).catch((error) => error);
    console.log(JSON.stringify({ taken: taken / 1024, estimated: Number(/about ([\\d.]+) MiB/.exec(message)[1]) }));`;
  test.each(files)('%s', async (name, convert) => {
    const file = join(tmpdir(), name);
    writeFileSync(file, await convert().toBuffer());
    for (const way of ['decode', 'hash']) {
      const code = measure(file);
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', code, way], {
        encoding: 'utf8',
      });
      const { taken, estimated } = JSON.parse(output);
      // Buffers of threads do not grow with the picture.
      expect(taken, `${way}: ${output}`).toBeLessThan(estimated + 20);
      expect(estimated, `${way}: ${output}`).toBeLessThan(4 * taken + megapixels * 4);
    }
  });
});
