import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { apngFrames } from './apng-frames.ts';
import { decodeBytes, defaultDecodeBytes, pixelCount } from './decode-memory.ts';
import type { PictureBytes, PictureFacts, PictureLimits } from './encoder.ts';
import { sampledFrames } from './frame-samples.ts';
import { greyPixels } from './grey-pixels.ts';
import type { ModelDescription } from './model.ts';
import { isPage } from './page.ts';
import { perceptualHash } from './perceptual-hash.ts';
import { PictureError } from './picture-error.ts';
import { detectFormat, PICTURE_FORMATS, type PictureFormat } from './picture-format.ts';
import { isLowInformation } from './picture-information.ts';
import { sharpness } from './sharpness.ts';
import { WeightedGate } from './weighted-gate.ts';

export const DEFAULT_LIMITS: PictureLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxPixels: 100_000_000,
  maxDecodeBytes: defaultDecodeBytes(),
};

/** How a model wants its picture: see `ModelDescription.input`. */
export type DecodeTarget = Pick<ModelDescription['input'], 'width' | 'height' | 'resize'>;

export interface DecodedPicture {
  /** sRGB, 8 bits, row by row, three bytes a pixel: `width * height * 3` of the target. */
  pixels: Uint8Array<ArrayBuffer>;
  facts: PictureFacts;
}

interface DecodeOptions {
  limits?: Partial<PictureLimits>;
  signal?: AbortSignal;
}

const WHITE = { r: 255, g: 255, b: 255 };
const FIT = { squash: 'fill', cover: 'cover', contain: 'contain' } as const;

/** Bytes the decoders take at one time, in the whole process, as estimated. Something larger goes alone. */
const decoding = new WeightedGate(Math.min(256_000_000, DEFAULT_LIMITS.maxDecodeBytes));

/**
 * Looks at the bytes alone, then at the header: nothing is decoded of a file that is too large. `result`: see
 * `decodeBytes`.
 * @throws PictureError
 */
async function openPicture(bytes: PictureBytes, given: Partial<PictureLimits> = {}, result = 0) {
  const limits = { ...DEFAULT_LIMITS, ...given };
  if (bytes.length === 0) throw new PictureError('picture-empty', 'the picture has no bytes');
  if (bytes.length > limits.maxBytes) {
    const message = `the picture has ${bytes.length} bytes; at most ${limits.maxBytes} are accepted`;
    throw new PictureError('picture-too-large', message);
  }
  const format = detectFormat(bytes);
  if (typeof format === 'object') {
    const message = `the content is ${format.other}; expected one of ${PICTURE_FORMATS.join(', ')}`;
    throw new PictureError('picture-unsupported-format', message);
  }
  // `error` stops at what costs pixels (truncation, checksums) and lets the harmless warnings of real files pass.
  const open = (pages = 1) =>
    sharp(bytes, { failOn: 'error', limitInputPixels: false, sequentialRead: true, pages });
  const header = await damagedUnlessDone(format, () => open().metadata());
  const size = `${header.width} x ${header.pageHeight ?? header.height}`;
  const pixels = pixelCount(header);
  if (pixels > limits.maxPixels) {
    const message = `the picture is ${size}, ${pixels} pixels; at most ${limits.maxPixels} are accepted`;
    throw new PictureError('picture-too-many-pixels', message);
  }
  const cost = decodeBytes(format, header, result);
  if (cost > limits.maxDecodeBytes) {
    const message =
      `the picture is ${size}: decoding it as ${format.toUpperCase()} takes about ${mebibytes(cost)} MiB of memory; ` +
      `at most ${mebibytes(limits.maxDecodeBytes)} MiB are allowed here`;
    throw new PictureError('picture-too-many-pixels', message);
  }
  const { width, height } = header.autoOrient;
  const frames = header.pages ?? (format === 'png' ? apngFrames(bytes) : 1);
  return { format, header, limits, width, height, frames, cost, open };
}

type OpenedPicture = Awaited<ReturnType<typeof openPicture>>;

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0);

async function damagedUnlessDone<T>(format: PictureFormat, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // libvips, which decodes several at once, does not always know which of them an error was of.
    const reason = (cause as Error).message.replace('Unknown error', 'it is damaged or cut short');
    throw new PictureError(
      'picture-damaged',
      `the ${format.toUpperCase()} file cannot be decoded: ${reason.replace(/\s+/g, ' ').trim()}`,
      cause,
    );
  }
}

/** As a person sees it on a white page: upright, nothing transparent, 8-bit sRGB (profiles, CMYK and 16 bits converted). */
function asDisplayed(picture: Sharp): Sharp {
  return picture.autoOrient().flatten({ background: WHITE }).toColourspace('srgb');
}

/** sRGB, three bytes a pixel, in memory of libvips: it cannot move to another thread. To be given back with `release`. */
async function rawPixels(picture: Sharp, depth: 'uchar' | 'ushort' = 'uchar'): Promise<Buffer> {
  const { data, info } = await picture.removeAlpha().raw({ depth }).toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to sRGB`);
  return data;
}

/** At once: many large ones would wait for a collector that does not see how large they are. */
function release(pixels: Buffer): void {
  (pixels.buffer as ArrayBuffer).transfer(0);
}

/** As `rawPixels`, and movable. sharp's `toUint8Array` makes one without a copy, and never frees it (0.35.5). */
async function copiedPixels(picture: Sharp): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = await rawPixels(picture);
  const copy = new Uint8Array(pixels);
  release(pixels);
  return copy;
}

/**
 * The first frame of a picture at a model's size, as `ModelDescription.input.resize` says; `contain` pads with white.
 *
 * Pixels are scaled by libvips with the kernel, in gamma-encoded sRGB. JPEG is decoded at 1/k, k = 2, 4 or 8, where both
 * sides are at least k + 1 times the target's. Training reads pictures by the same rules.
 * @throws PictureError; the signal's reason on abort.
 */
export async function decodePicture(
  bytes: PictureBytes,
  target: DecodeTarget,
  { limits, signal }: DecodeOptions = {},
): Promise<DecodedPicture> {
  const { format, width, height, frames, cost, open } = await openPicture(bytes, limits);
  const { fit, kernel } = target.resize;
  const decode = () =>
    copiedPixels(
      asDisplayed(open()).resize(target.width, target.height, {
        fit: FIT[fit],
        kernel,
        background: WHITE,
        // A WebP would be scaled while loading with a kernel of its own.
        fastShrinkOnLoad: format === 'jpeg',
      }),
    );
  const pixels = await decoding.run(cost, () => damagedUnlessDone(format, decode), signal);
  const grey = greyPixels(pixels, target.width, target.height);
  return {
    pixels,
    facts: {
      format,
      width,
      height,
      frames,
      lowInformation: isLowInformation(pixels, width, height),
      page: isPage(pixels, target.width, target.height),
      perceptualHash: perceptualHash(grey),
      sharpness: sharpness(grey),
    },
  };
}

/**
 * The first frame of a picture at its own size, as displayed: sRGB, 8 bits, row by row, three bytes a pixel.
 * @throws PictureError; the signal's reason on abort.
 */
export async function decodeFullSize(
  bytes: PictureBytes,
  { limits, signal }: DecodeOptions = {},
): Promise<{ width: number; height: number; pixels: Uint8Array<ArrayBuffer> }> {
  // The pixels and their copy.
  const { format, width, height, cost, open } = await openPicture(bytes, limits, 6);
  const decode = () => damagedUnlessDone(format, () => copiedPixels(asDisplayed(open())));
  return { width, height, pixels: await decoding.run(cost, decode, signal) };
}

/** Whether all frames can be decoded in one go, by the limits and by what decoders know of them. `cost`: of all of them. */
function hasReadableFrames({ header, limits, frames }: OpenedPicture, cost: number): boolean {
  const isTooMuch = frames * pixelCount(header) > limits.maxPixels || cost > limits.maxDecodeBytes;
  return !isTooMuch && frames === (header.pages ?? 1);
}

/** Of the pixels of all frames, and in turn of what is transparent in them: bytes a pixel at a time. */
const HASHED_BYTES = 4;
const HASHED_BYTES_DEEP = 8;

/**
 * SHA-256 (hex) over what the picture shows at full resolution, with its size: equal for the same pixels in another
 * container or with other metadata. It tells apart what looks the same at first sight only: more than 8 bits a channel are hashed as
 * 16, where something is transparent what shows through as well, and all frames of an animation or pages of a TIFF file. Where that is
 * more than the limits allow, and of frames that cannot be decoded together (pages of several sizes, APNG), the file itself is hashed.
 *
 * Takes a full decode, several times as long as `decodePicture` on large JPEGs: call it for candidates, not for everything.
 * @throws PictureError; the signal's reason on abort.
 */
export async function pixelHash(bytes: PictureBytes, options: DecodeOptions = {}): Promise<string> {
  return (await hashPixels(bytes, options)).hash;
}

/**
 * `pixelHash` and `thumbnail` of one picture: of the same pixels where those are decoded for the hash anyway, with 8 bits a channel.
 * @throws as both
 */
export async function pixelHashAndThumbnail(
  bytes: PictureBytes,
  maxSide: number,
  options: DecodeOptions = {},
): Promise<{ pixelHash: string; thumbnail: Uint8Array }> {
  const { hash, first } = await hashPixels(bytes, options, (picture) => asThumbnail(picture, maxSide));
  return { pixelHash: hash, thumbnail: first ?? (await thumbnail(bytes, maxSide, options)) };
}

/** `ofFirst`: of the first frame, as displayed, while its pixels are there. */
async function hashPixels<T>(
  bytes: PictureBytes,
  { limits: given, signal }: DecodeOptions,
  ofFirst?: (picture: Sharp) => Promise<T>,
): Promise<{ hash: string; first?: T | undefined }> {
  const opened = await openPicture(bytes, given, HASHED_BYTES);
  const { format, header, width, height, frames, open } = opened;
  const isDeep = header.depth !== 'uchar';
  const cost = frames * decodeBytes(format, header, isDeep ? HASHED_BYTES_DEEP : HASHED_BYTES);
  if (!hasReadableFrames(opened, cost)) return { hash: fileHash(bytes) };
  const read = async () => {
    const picture = () => open(frames).autoOrient();
    const depth = isDeep ? 'ushort' : 'uchar';
    const colours = isDeep ? 'rgb16' : 'srgb';
    const kind = [isDeep ? ' 16 bits' : '', frames > 1 ? ` ${frames} frames` : ''].join('');
    const hash = createHash('sha256').update(`${width} x ${height} sRGB${kind}\n`);
    const pixels = await rawPixels(picture().flatten({ background: WHITE }).toColourspace(colours), depth);
    hash.update(pixels);
    const first = isDeep
      ? undefined
      : await ofFirst?.(
          sharp(pixels.subarray(0, 3 * width * height), { raw: { width, height, channels: 3 } }),
        );
    release(pixels);
    if (header.hasAlpha) {
      const alpha = await picture()
        .extractChannel('alpha')
        .toColourspace(isDeep ? 'grey16' : 'b-w')
        .raw({ depth })
        .toBuffer();
      if (alpha.some((value) => value !== 255)) hash.update('alpha\n').update(alpha);
      release(alpha);
    }
    return { hash: hash.digest('hex'), first };
  };
  try {
    return await decoding.run(cost, () => damagedUnlessDone(format, read), signal);
  } catch (error) {
    if (frames > 1 && error instanceof PictureError) return { hash: fileHash(bytes) };
    throw error;
  }
}

/**
 * As `pixelHash`, for pictures that were encoded: at full size one may still be too large, or turn out damaged. It then goes without,
 * and `onUnreadable` is told why.
 */
export async function pixelHashIfReadable(
  bytes: PictureBytes,
  options: DecodeOptions,
  onUnreadable?: (error: PictureError) => void,
): Promise<string | undefined> {
  try {
    return await pixelHash(bytes, options);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    onUnreadable?.(error);
    return undefined;
  }
}

function fileHash(bytes: PictureBytes): string {
  return createHash('sha256').update('file\n').update(bytes).digest('hex');
}

/** A side of the frames of which perceptual hashes are taken: as many means as those are made of. */
const FRAME_SIDE = 64;
const FRAME_PIXELS = FRAME_SIDE ** 2;
/** What is decoded of an animation grows with its frames, however small they are. */
const MOST_HASHED_FRAMES = 500;
/** No hash of a picture: of those half the bits are set. */
const BLANK_HASH = '0'.repeat(64);

/**
 * What an animation, or a file of several pages, shows in the course of it: at each of the places of `sampledFrames` the perceptual hashes of
 * the counted frame and the timed ones, 64 hex digits each; zeros where a frame is blank, of which a hash says nothing. None of a still; of more than
 * 500 frames, or where all together are more than the limits allow; and of frames that cannot be decoded together (pages of
 * several sizes, APNG). Every frame is decoded once, as formats keep what changes from one to the next.
 * @throws the signal's reason on abort.
 */
export async function frameHashes(
  bytes: PictureBytes,
  { limits, signal }: DecodeOptions = {},
): Promise<string[] | undefined> {
  try {
    const opened = await openPicture(bytes, limits);
    const { format, header, frames, open } = opened;
    const cost = frames * (decodeBytes(format, header, 0) + 3 * FRAME_PIXELS);
    if (frames === 1 || frames > MOST_HASHED_FRAMES || !hasReadableFrames(opened, cost)) return undefined;
    const decode = () =>
      copiedPixels(
        asDisplayed(open(frames)).resize(FRAME_SIDE, FRAME_SIDE, {
          fit: 'fill',
          kernel: 'linear',
          fastShrinkOnLoad: false,
        }),
      );
    const pixels = await decoding.run(cost, () => damagedUnlessDone(format, decode), signal);
    return sampledFrames(frames, header.delay).map(({ counted, timed }) =>
      [counted, ...timed].map((frame) => hashOfFrame(pixels.subarray(3 * FRAME_PIXELS * frame))).join(''),
    );
  } catch (error) {
    if (error instanceof PictureError) return undefined;
    throw error;
  }
}

/** Of the first one in `pixels`. */
function hashOfFrame(pixels: Uint8Array): string {
  const frame = pixels.subarray(0, 3 * FRAME_PIXELS);
  if (isLowInformation(frame, FRAME_SIDE, FRAME_SIDE)) return BLANK_HASH;
  return perceptualHash(greyPixels(frame, FRAME_SIDE, FRAME_SIDE));
}

/**
 * A WebP of at most `maxSide` pixels a side, upright, on white; never larger than the picture.
 * @throws PictureError; the signal's reason on abort.
 */
export async function thumbnail(
  bytes: PictureBytes,
  maxSide: number,
  { limits, signal }: DecodeOptions = {},
): Promise<Uint8Array> {
  const { format, cost, open } = await openPicture(bytes, limits);
  const make = () => asThumbnail(asDisplayed(open()), maxSide);
  return decoding.run(cost, () => damagedUnlessDone(format, make), signal);
}

function asThumbnail(picture: Sharp, maxSide: number): Promise<Buffer> {
  return picture
    .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer();
}
