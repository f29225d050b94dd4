import { totalmem } from 'node:os';
import type { Metadata } from 'sharp';
import type { PictureFormat } from './picture-format.ts';

/** What decoders take at their peak, in bytes a pixel: measured on 30 megapixels with sharp 0.35.5, rounded up. */
const BASELINE_JPEG = 1;
const PNG = 2;
const WEBP = 9;
const GIF = 6;
const AVIF = 20;
const AVIF_DEEP = 27;

type Header = Pick<
  Metadata,
  'width' | 'height' | 'pageHeight' | 'channels' | 'depth' | 'isProgressive' | 'orientation'
>;

/** Pixels of the first frame. */
export function pixelCount({ width, height, pageHeight }: Header): number {
  return width * (pageHeight ?? height);
}

/**
 * Bytes of memory that decoding a picture takes, beside its file; estimated from its header.
 *
 * @param result bytes a pixel of what is made of it at its own size; 0 where it is scaled down in passing
 */
export function decodeBytes(format: PictureFormat, header: Header, result: number): number {
  const { orientation = 1 } = header;
  // To be turned, it has to be there as a whole.
  const turned = result > 0 && orientation > 1 ? sampleBytes(header) : 0;
  return pixelCount(header) * (decoderBytes(format, header) + turned + result);
}

const BYTES_A_SAMPLE: Partial<Record<string, number>> = { uchar: 1, char: 1, ushort: 2, short: 2 };

/** Bytes a pixel of the decoded picture. */
function sampleBytes({ channels = 4, depth }: Header): number {
  return channels * (BYTES_A_SAMPLE[String(depth)] ?? 4);
}

/** Bytes a pixel that the decoder holds. */
function decoderBytes(format: PictureFormat, header: Header): number {
  const { channels = 4, depth, isProgressive } = header;
  switch (format) {
    case 'jpeg':
      // Coefficients of 16 bits, at most as many as there are samples.
      return BASELINE_JPEG + (isProgressive ? 2 * channels : 0);
    case 'png':
      return PNG + (isProgressive ? sampleBytes(header) : 0);
    case 'tiff':
      // It may be a single strip, which is held as stored and as decoded.
      return 2 * sampleBytes(header);
    case 'webp':
      return WEBP;
    case 'gif':
      return GIF;
    case 'avif':
      return depth === 'uchar' ? AVIF : AVIF_DEEP;
  }
}

/**
 * A quarter of the memory this process may use: that of the machine, of its cgroup, or of its Lambda function. The rest is for
 * Node, the model, files and whatever else the process is for.
 */
export function defaultDecodeBytes(): number {
  const ofLambda = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) * 2 ** 20;
  const ofCgroup = process.constrainedMemory();
  return Math.floor(Math.min(totalmem(), ofCgroup || Infinity, ofLambda || Infinity) / 4);
}
