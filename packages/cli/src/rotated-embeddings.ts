import { decodePicture } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import sharp from 'sharp';
import { forEachConcurrently } from './concurrency.ts';
import type { EmbeddingSource } from './lazy-encoder.ts';
import type { PictureCache } from './picture-cache.ts';
import { readPicture, type ScannedFile } from './picture-scan.ts';
import { SYMMETRIES, type Symmetry, symmetryBetween, transformSquare } from './symmetries.ts';

const PICTURES_AT_ONCE = 4;
const TURNS = SYMMETRIES.slice(1);

interface Options {
  encoder: EmbeddingSource;
  cache: PictureCache;
  signal: AbortSignal;
  onProgress?: (done: number) => void;
}

/**
 * Of every picture the embeddings of its seven other symmetries, in the order of `SYMMETRIES`; none for pictures of low
 * information and files that cannot be decoded. A square model input is the same whether the picture or the input is turned, so a picture is decoded once.
 * @throws LookalikeError `not-square` for a model whose input is none.
 */
export async function rotatedEmbeddings(
  pictures: readonly ScannedFile[],
  { encoder, cache, signal, onProgress }: Options,
): Promise<(Float32Array[] | undefined)[]> {
  const { input } = encoder.model;
  if (input.width !== input.height)
    throw new LookalikeError(
      'not-square',
      `rotations need a model with a square input; that of ${encoder.model.name} is ${input.width} x ${input.height}`,
    );
  const cacheKey = ({ name }: Symmetry) => `${encoder.hash} ${name}`;
  const results = new Array<Float32Array[] | undefined>(pictures.length);
  let done = 0;
  await forEachConcurrently(
    pictures,
    PICTURES_AT_ONCE,
    async ({ absolute, contentHash, picture }, index) => {
      if (picture && !picture.lowInformation) {
        const known = TURNS.map((turn) => cache.embedding(contentHash, cacheKey(turn))?.embedding);
        if (known.every((embedding) => embedding !== undefined)) results[index] = known;
        else {
          const embeddings = await encodeTurns(absolute, encoder, signal);
          results[index] = embeddings;
          for (const [number, turn] of TURNS.entries())
            cache.putEmbedding(contentHash, cacheKey(turn), {
              embedding: embeddings[number] as Float32Array,
              picture,
            });
        }
      }
      onProgress?.(++done);
    },
    signal,
  );
  return results;
}

async function encodeTurns(
  path: string,
  encoder: EmbeddingSource,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const { input } = encoder.model;
  const side = input.width;
  const { pixels } = await decodePicture(await readPicture(path), input, { signal });
  const turned = await Promise.all(
    TURNS.map((turn) =>
      sharp(transformSquare(pixels, side, turn), { raw: { width: side, height: side, channels: 3 } })
        .png({ compressionLevel: 1 })
        .toBuffer(),
    ),
  );
  return (await encoder.encode(turned, { signal })).map((result) => {
    if (!result.ok) throw new LookalikeError(result.error.code, `${path}: ${result.error.message}`);
    return result.embedding;
  });
}

const SIDE = 32;

/** How every picture of a group comes from its first one: see `symmetryBetween`. */
export async function symmetriesOf(
  pictures: readonly Pick<ScannedFile, 'absolute'>[],
  signal: AbortSignal,
): Promise<Symmetry[]> {
  const target = { width: SIDE, height: SIDE, resize: { fit: 'squash', kernel: 'linear' } } as const;
  const squares: Uint8Array[] = [];
  for (const { absolute } of pictures)
    squares.push((await decodePicture(await readPicture(absolute), target, { signal })).pixels);
  return squares.map((square) => symmetryBetween(squares[0] as Uint8Array, square, SIDE));
}
