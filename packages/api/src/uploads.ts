import type { Encoder } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import type { Services } from './app-context.ts';
import { type EncodedPicture, encodePictures } from './picture-encoding.ts';
import { itemErrorOf } from './problems.ts';
import type { CreateUpload, Upload } from './schemas.ts';

/** Pictures that come by way of a bucket, where requests are too small for them. */
export interface Uploads {
  /** Room for one picture of exactly that size and type. */
  create(upload: CreateUpload): Promise<Upload>;
  /**
   * The picture that was put there.
   * @throws `LookalikeError`: `invalid-request` for an address that `create` does not give, `unknown-upload`,
   * `picture-too-large` where it has more than `limit` bytes
   */
  read(url: string, limit: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** Held in memory at one time, however many a batch names. */
const uploadsAtOnce = 4;

/** Throws `no-uploads`. */
export function uploadsOf({ uploads }: Pick<Services, 'uploads'>): Uploads {
  if (uploads !== undefined) return uploads;
  throw new LookalikeError(
    'no-uploads',
    'this deployment keeps no bucket for uploads: send the picture itself',
  );
}

/** One result of `use` an upload, in order; a bad one fails alone. */
export async function encodeUploads<R>(
  services: Pick<Services, 'uploads' | 'limits'>,
  encoder: Encoder,
  urls: readonly string[],
  signal: AbortSignal,
  use: (encoded: EncodedPicture, bytes: Uint8Array, index: number) => R | Promise<R>,
): Promise<R[]> {
  const one = async (url: string, index: number): Promise<R> => {
    let bytes: Uint8Array;
    try {
      bytes = await uploadsOf(services).read(url, services.limits.pictureBytes, signal);
    } catch (error) {
      return use({ ok: false, error: itemErrorOf(error) }, new Uint8Array(0), index);
    }
    const [encoded] = await encodePictures(encoder, [bytes], signal);
    if (encoded === undefined) throw new Error('the encoder gave no result');
    return use(encoded, bytes, index);
  };
  const results: R[] = [];
  for (let from = 0; from < urls.length; from += uploadsAtOnce)
    results.push(
      ...(await Promise.all(urls.slice(from, from + uploadsAtOnce).map((url, at) => one(url, from + at)))),
    );
  return results;
}
