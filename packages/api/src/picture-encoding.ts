import { createHash } from 'node:crypto';
import {
  type EncodeResult,
  type Encoder,
  frameHashes,
  PictureError,
  type PictureLimits,
  pixelHashAndThumbnail,
} from '@lookalike/encoder';
import type { ObjectStore } from '@lookalike/store';
import { LookalikeError } from '@lookalike/store';
import type { Picture } from './schemas.ts';
import { storeThumbnail, THUMBNAIL_SIZE } from './thumbnails.ts';

export type EncodedPicture =
  | { ok: true; embedding: Float32Array; picture: Picture }
  | { ok: false; error: { code: string; message: string } };

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Throws `invalid-request` for what is not base64, `picture-too-large` for what is over `limit` bytes. */
export function pictureFromBase64(text: string, limit: number): Uint8Array {
  if (text.length > Math.ceil(limit / 3) * 4) {
    throw new LookalikeError('picture-too-large', `the picture is larger than ${limit} bytes`, {
      details: { limit },
    });
  }
  if (text.length % 4 !== 0 || !base64.test(text)) {
    throw new LookalikeError(
      'invalid-request',
      'image: expected the bytes of a picture file in base64, without a prefix',
    );
  }
  return Buffer.from(text, 'base64');
}

/** The facts of a picture that are kept beside its embedding. */
function factsOf(bytes: Uint8Array, encoded: Extract<EncodeResult, { ok: true }>): Picture {
  const { format, width, height, frames, lowInformation, page, perceptualHash, sharpness } = encoded.picture;
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    width,
    height,
    frames,
    format,
    bytes: bytes.byteLength,
    perceptualHash,
    sharpness: Math.round(sharpness * 10_000) / 10_000,
    ...(lowInformation ? { lowInformation } : {}),
    ...(page ? { page } : {}),
  };
}

/** One result a picture, in order; a bad picture fails alone. */
export async function encodePictures(
  encoder: Encoder,
  pictures: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<EncodedPicture[]> {
  const encoded = await encoder.encode(pictures, { signal });
  return encoded.map((result, index) =>
    result.ok
      ? { ok: true, embedding: result.embedding, picture: factsOf(pictures[index] as Uint8Array, result) }
      : { ok: false, error: { code: result.error.code, message: result.error.message } },
  );
}

/** Of one picture; a bad one throws with the code of its error. */
export async function encodePicture(
  encoder: Encoder,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<{ embedding: Float32Array; picture: Picture }> {
  const [result] = await encodePictures(encoder, [bytes], signal);
  if (result === undefined) throw new Error('the encoder gave no result');
  if (!result.ok) throw new LookalikeError(result.error.code, result.error.message);
  return result;
}

/**
 * What is kept of a picture beside its embedding, as the picture itself is not: stores its thumbnail, and returns its facts with
 * the hashes of its pixels and of the frames of an animation. To be called before the commit, so that an item that can be seen has its thumbnail. It reads the
 * picture at full size, which takes more memory than encoding it, and may find a damage that encoding did not. `limits`: those of the
 * encoder.
 */
export async function keepPicture(
  objects: ObjectStore,
  collection: string,
  bytes: Uint8Array,
  picture: Picture,
  options: { limits: PictureLimits; signal: AbortSignal },
): Promise<{ ok: true; picture: Picture } | { ok: false; error: { code: string; message: string } }> {
  try {
    const [{ pixelHash, thumbnail }, frames] = await Promise.all([
      pixelHashAndThumbnail(bytes, THUMBNAIL_SIZE, options),
      picture.frames === 1 ? undefined : frameHashes(bytes, options),
    ]);
    await storeThumbnail(objects, collection, { sha256: picture.sha256, thumbnail });
    return { ok: true, picture: { ...picture, pixelHash, ...(frames && { frameHashes: frames }) } };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return { ok: false, error: { code: error.code, message: error.message } };
  }
}
