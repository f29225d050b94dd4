import sharp, { type Sharp } from 'sharp';

/** One way in which copies of a picture come about. `easy`: what any perceptual hash survives. */
export interface Variant {
  name: string;
  hard: boolean;
  /** File ending of what `make` writes. */
  ending: string;
  make(picture: Sharp, size: { width: number; height: number }): Promise<Buffer>;
}

const jpeg = (picture: Sharp) => picture.jpeg({ quality: 85 }).toBuffer();

/** The middle of a picture: `share` of its width and height. */
function cropped(picture: Sharp, { width, height }: { width: number; height: number }, share: number) {
  const [w, h] = [Math.round(width * share), Math.round(height * share)];
  return picture.extract({
    left: Math.floor((width - w) / 2),
    top: Math.floor((height - h) / 2),
    width: w,
    height: h,
  });
}

function textBar(width: number, height: number): Buffer {
  const bar = Math.round(height * 0.14);
  return Buffer.from(
    `<svg width="${width}" height="${height}"><rect y="${height - bar}" width="${width}" height="${bar}" fill="white"/>` +
      `<text x="${width / 2}" y="${height - bar * 0.3}" font-size="${bar * 0.6}" text-anchor="middle" ` +
      'font-family="sans-serif">when the meeting could have been an email</text></svg>',
  );
}

export const VARIANTS: readonly Variant[] = [
  { name: 'exact copy', hard: false, ending: 'jpg', make: async () => Buffer.alloc(0) },
  { name: 'same pixels as PNG', hard: false, ending: 'png', make: (p) => p.png().toBuffer() },
  {
    name: 'half size',
    hard: false,
    ending: 'jpg',
    make: (p, s) => jpeg(p.resize(Math.round(s.width / 2))),
  },
  { name: 'JPEG quality 30', hard: false, ending: 'jpg', make: (p) => p.jpeg({ quality: 30 }).toBuffer() },
  { name: 'WebP quality 50', hard: false, ending: 'webp', make: (p) => p.webp({ quality: 50 }).toBuffer() },
  {
    name: 'AVIF quality 40',
    hard: false,
    ending: 'avif',
    make: (p) => p.avif({ quality: 40, effort: 1 }).toBuffer(),
  },
  { name: 'grey', hard: false, ending: 'jpg', make: (p) => jpeg(p.greyscale()) },
  {
    name: 'brighter, more colour',
    hard: false,
    ending: 'jpg',
    make: (p) => jpeg(p.modulate({ brightness: 1.25, saturation: 1.4 })),
  },
  { name: 'blurred', hard: false, ending: 'jpg', make: (p) => jpeg(p.blur(2)) },
  { name: 'middle 95 %', hard: false, ending: 'jpg', make: (p, s) => jpeg(cropped(p, s, 0.95)) },
  { name: 'middle 80 %', hard: true, ending: 'jpg', make: (p, s) => jpeg(cropped(p, s, 0.8)) },
  { name: 'middle 60 %', hard: true, ending: 'jpg', make: (p, s) => jpeg(cropped(p, s, 0.6)) },
  { name: 'mirrored', hard: true, ending: 'jpg', make: (p) => jpeg(p.flop()) },
  {
    name: 'rotated by 5 degrees',
    hard: true,
    ending: 'jpg',
    make: (p) => jpeg(p.rotate(5, { background: '#000' })),
  },
  { name: 'rotated by 90 degrees', hard: true, ending: 'jpg', make: (p) => jpeg(p.rotate(90)) },
  {
    name: 'white border',
    hard: true,
    ending: 'jpg',
    make: (p, s) => {
      const edge = Math.round(Math.min(s.width, s.height) * 0.12);
      return jpeg(p.extend({ top: edge, bottom: edge, left: edge, right: edge, background: '#fff' }));
    },
  },
  {
    name: 'caption bar',
    hard: true,
    ending: 'jpg',
    make: (p, s) => jpeg(p.composite([{ input: textBar(s.width, s.height) }])),
  },
];

/** The bytes of a variant; of an exact copy those of the file. */
export async function makeVariant(variant: Variant, file: Buffer): Promise<Buffer> {
  if (variant.name === 'exact copy') return file;
  // Flattened to three channels and upright, as variants are made of what a person sees.
  const { data, info } = await sharp(file)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  return variant.make(sharp(data, { raw }), { width: info.width, height: info.height });
}
