import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findDuplicates } from './find-duplicates.ts';
import { PictureCache } from './picture-cache.ts';
import { type ScannedPicture, sha256 } from './picture-scan.ts';
import { temporaryFolder } from './test-command.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const DIMENSION = 4;

/** Pictures of 20 kinds, of each of which all are alike; the same number is the same content. */
function picture(number: number, path = `${number}.jpg`): ScannedPicture {
  const angle = (number % 20) * 0.3;
  const embedding = Float32Array.of(
    Math.cos(angle),
    Math.sin(angle),
    Math.cos(2 * angle),
    Math.sin(2 * angle),
  );
  return {
    path,
    absolute: `/nowhere/${path}`,
    contentHash: `content ${number}`,
    bytes: 1000 + number,
    modified: number,
    picture: {
      format: 'jpeg',
      width: 100 + number,
      height: 100,
      frames: 1,
      lowInformation: false,
      page: false,
      perceptualHash: '0f'.repeat(32),
      sharpness: 0.2,
    },
    embedding: embedding.map((value) => value / Math.SQRT2),
  };
}

const pictures = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => picture(from + n));

test('a second run compares new pictures only, also after files were moved or copied', async () => {
  const search = async (list: readonly ScannedPicture[]) => {
    // Opened anew: what the runs share is in the file.
    const cache = PictureCache.open(folder.root);
    try {
      const { groups, compared } = await findDuplicates(list, {
        level: { minSimilarity: 0.99 },
        dimension: DIMENSION,
        cache,
        ledger: cache.ledger('photos'),
        signal: new AbortController().signal,
      });
      return { compared, sizes: groups.map(({ members }) => members.length) };
    } finally {
      cache.close();
    }
  };
  const five = Array.from({ length: 20 }, () => 5);
  expect(await search(pictures(0, 100))).toEqual({ compared: (100 * 99) / 2, sizes: five });
  expect(await search(pictures(0, 100))).toEqual({ compared: 0, sizes: five });

  const moved = [...pictures(0, 99), picture(99, 'elsewhere/99.jpg'), picture(0, 'copy of 0.jpg')];
  expect((await search(moved)).compared).toBe(0);
  const more = await search([...moved, ...pictures(100, 103)]);
  expect(more.compared).toBe(3 * 100 + 3);
  expect(more.sizes.filter((size) => size === 6 || size === 7)).toHaveLength(3);
});

test('a picture that cannot be read at full size goes without a pixel hash', async () => {
  const bytes = Buffer.from('too large for this machine, or damaged');
  const list = [picture(1), picture(21)].map((one) => ({
    ...one,
    absolute: join(folder.root, one.path),
    contentHash: sha256(Buffer.concat([bytes, Buffer.from(one.path)])),
  }));
  for (const { absolute, path } of list) await writeFile(absolute, Buffer.concat([bytes, Buffer.from(path)]));
  const cache = PictureCache.open(folder.root);
  const { groups } = await findDuplicates(list, {
    level: { minSimilarity: 0.99 },
    dimension: DIMENSION,
    cache,
    ledger: cache.ledger('unreadable'),
    signal: new AbortController().signal,
  });
  cache.close();
  expect(groups.map(({ members }) => members.map(({ kind }) => kind))).toEqual([['exact', 'near']]);
});

test('the cache lets go of what was not used for longest, and keeps to its bytes', () => {
  const embedding = new Float32Array(256);
  const { picture: facts } = picture(1);
  const fill = (cache: PictureCache, from: number, to: number) => {
    for (let n = from; n < to; n++) cache.putEmbedding(`c${n}`, 'encoder', { embedding, picture: facts });
  };
  const there = (cache: PictureCache, n: number) => cache.embedding(`c${n}`, 'encoder') !== undefined;
  const root = `${folder.root}/bounded`;

  const first = PictureCache.open(root, { maxBytes: 8_000_000 });
  fill(first, 0, 4000);
  first.putPixelHash('c0', 'hash');
  first.putPixelHash('gone', 'hash');
  first.close();
  const second = PictureCache.open(root, { maxBytes: 2_000_000 });
  expect(there(second, 0)).toBe(true);
  expect(second.pixelHash('gone')).toBe('hash');
  second.close();

  const third = PictureCache.open(root);
  const left = Array.from({ length: 4000 }, (_, n) => there(third, n)).filter(Boolean).length;
  expect(left).toBeGreaterThan(200);
  expect(left).toBeLessThan(2000);
  expect(third.pixelHash('gone')).toBeUndefined();
  third.close();
});

test('a file is known by its path, size, times and inode together', () => {
  const cache = PictureCache.open(`${folder.root}/stamps`);
  const stamp = { size: 10, modified: 1000, changed: 2000, inode: 2 ** 60 };
  cache.putContentHash('/a.jpg', stamp, 'content');
  cache.close();
  const again = PictureCache.open(`${folder.root}/stamps`);
  expect(again.contentHash('/a.jpg', stamp)).toBe('content');
  for (const other of [{ size: 11 }, { modified: 1001 }, { changed: 2001 }, { inode: 0 }])
    expect(again.contentHash('/a.jpg', { ...stamp, ...other })).toBeUndefined();
  again.close();
});

test('where a precision is asked for, hashes have to agree more closely', async () => {
  const hashed = (number: number, bits: number): ScannedPicture => {
    const one = picture(number);
    const perceptualHash = ((1n << BigInt(bits)) - 1n).toString(16).padStart(64, '0');
    return { ...one, picture: { ...one.picture, perceptualHash } };
  };
  // Unlike each other by their embeddings, and in 0, 31 and 63 bits like the first.
  const list = [hashed(0, 0), hashed(5, 31), hashed(10, 63)];
  const cache = PictureCache.open(folder.root);
  const sizes = async (level: Parameters<typeof findDuplicates>[1]['level']) => {
    const { groups } = await findDuplicates(list, {
      level,
      minHashSimilarity: -1,
      dimension: DIMENSION,
      cache,
      signal: new AbortController().signal,
    });
    return groups.map(({ members }) => members.map(({ index }) => index).sort());
  };
  const calibration = [
    { similarity: 0.5, falsePositiveRate: 1e-2 },
    { similarity: 0.9, falsePositiveRate: 1e-4 },
  ];
  expect(await sizes({ minSimilarity: 0.999 })).toEqual([[0, 1, 2]]);
  expect(await sizes({ minPrecision: 0.99, calibration })).toEqual([[0, 1]]);
  cache.close();
});

test('turning pictures never makes up for the strangers it brings: the similarity does not fall', async () => {
  const calibration = [
    { similarity: 0.5, falsePositiveRate: 1e-2 },
    { similarity: 0.9, falsePositiveRate: 1e-4 },
  ];
  const cache = PictureCache.open(`${folder.root}/turned`);
  // Ten pairs of copies, more or less alike, of which the turned ones are nearly as alike: most pictures look much the same mirrored.
  const direction = (kind: number, off: number) => {
    const embedding = new Float32Array(24);
    embedding[kind] = Math.cos(off);
    embedding[20 + (kind % 4)] = Math.sin(off);
    return embedding;
  };
  const list = Array.from({ length: 20 }, (_, n): ScannedPicture => {
    const kind = n >> 1;
    return { ...picture(n), embedding: direction(kind, n % 2 === 0 ? 0 : 0.2 + kind / 15) };
  });
  const turned = list.map((_, n) => {
    const kind = n >> 1;
    return Array.from({ length: 7 }, (_, turn) =>
      direction(kind, (n % 2 === 0 ? 0 : 0.2 + kind / 15) + turn / 1000),
    );
  });
  for (const minPrecision of [0.5, 0.8, 0.9, 0.95, 0.99])
    for (const boundary of [undefined, 10]) {
      // Across a boundary the copies of the first ones are the second half.
      const order =
        boundary === undefined
          ? [...list.keys()]
          : [...list.keys()].sort((a, b) => (a % 2) - (b % 2) || a - b);
      const search = (rotations: boolean) =>
        findDuplicates(
          order.map((n) => list[n] as ScannedPicture),
          {
            level: { minPrecision, calibration },
            dimension: 24,
            cache,
            signal: new AbortController().signal,
            ...(boundary !== undefined && { boundary }),
            ...(rotations && { turned: order.map((n) => turned[n] as Float32Array[]) }),
          },
        );
      const [upright, both] = [await search(false), await search(true)];
      expect(upright.groups.length, `${minPrecision}`).toBeGreaterThan(0);
      expect(both.threshold).toBeGreaterThanOrEqual(upright.threshold);
      // The estimate is what one gets by counting: ways of comparing times the calibrated rate, of the pairs found.
      if (both.precision !== undefined) expect(both.precision).toBeLessThanOrEqual(upright.precision ?? 1);
    }
  cache.close();
});
