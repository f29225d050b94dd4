/** The formats that are decoded, as sharp names them in a file's metadata (AVIF is `heif` there). */
export const PICTURE_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);
}

/** Brands of ISO base media files, first bytes 4-8 `ftyp`: the major one, then the compatible ones from byte 16. */
function mediaBrands(bytes: Uint8Array): string[] {
  if (latin1(bytes, 4, 8) !== 'ftyp') return [];
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const brands = [latin1(bytes, 8, 12)];
  for (let at = 16; at + 4 <= Math.min(size, bytes.length, 256); at += 4)
    brands.push(latin1(bytes, at, at + 4));
  return brands;
}

/**
 * What a file is by its first bytes, whatever its name says. Nothing is handed to a decoder before this: SVG, PDF and the
 * like bring interpreters with them.
 * @returns a format of the list; or else `{ other }`, words for a message.
 */
export function detectFormat(bytes: Uint8Array): PictureFormat | { other: string } {
  const head = latin1(bytes, 0, 16);
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp';
  if (/^(II[*+]\0|MM\0[*+])/.test(head)) return 'tiff';
  const brands = mediaBrands(bytes);
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  if (brands.some((brand) => /^(hei|hev|mif1|msf1)/.test(brand))) return { other: 'HEIC' };
  if (brands.length > 0) return { other: 'a video or another ISO media file' };
  if (head.startsWith('%PDF')) return { other: 'PDF' };
  if (head.startsWith('BM')) return { other: 'BMP' };
  if (head.startsWith('8BPS')) return { other: 'Photoshop' };
  if (head.startsWith('\xff\x0a') || head.slice(4, 8) === 'JXL ') return { other: 'JPEG XL' };
  if (head.slice(4, 8) === 'jP  ' || head.startsWith('\xff\x4f\xff\x51')) return { other: 'JPEG 2000' };
  if (head.startsWith('PK\x03\x04')) return { other: 'a ZIP archive' };
  const text = latin1(bytes, 0, 1024);
  if (/<svg[\s>]/i.test(text)) return { other: 'SVG' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells bytes from text
  if (!/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) return { other: 'text' };
  return { other: 'bytes of no picture format known here' };
}
