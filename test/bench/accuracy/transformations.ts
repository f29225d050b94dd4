import sharp, { type OverlayOptions, type Sharp } from 'sharp';
import { emojiOverlay, screenshotLayout, textOverlay } from './overlays.ts';
import { inPerspective, type Pixels } from './perspective.ts';
import { Random } from './random.ts';

/** Part of the cache's keys: raise it when a transformation changes without changing its name. */
export const TRANSFORMATIONS_VERSION = 1;

/** `beyond`: shown, but in neither half. */
export type Half = 'easy' | 'hard' | 'beyond';

export interface Transformation {
  name: string;
  half: Half;
  apply(picture: Pixels, random: Random, others: readonly Pixels[]): Sharp | Promise<Sharp>;
  /** Instead of JPEG of quality 90. */
  save?(picture: Sharp): Sharp;
}

export async function readPixels(bytes: Buffer): Promise<Pixels> {
  const picture = sharp(bytes)
    .autoOrient()
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .removeAlpha();
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

const show = ({ data, width, height }: Pixels) => sharp(data, { raw: { width, height, channels: 3 } });

const resized = (factor: number) => (p: Pixels) =>
  show(p).resize(Math.round(p.width * factor), Math.round(p.height * factor), { fit: 'fill' });

const blurred = (share: number) => (p: Pixels) =>
  show(p).blur(Math.max(0.3, share * Math.max(p.width, p.height)));

const contrasted = (factor: number) => (p: Pixels) => show(p).linear(factor, 128 * (1 - factor));

const withGamma = (gamma: number) => (p: Pixels) => {
  const table = Uint8Array.from({ length: 256 }, (_, value) => Math.round(255 * (value / 255) ** gamma));
  return show({ ...p, data: p.data.map((value) => table[value] as number) });
};

/** A window of `area` of the picture's surface and of its shape, anywhere in it. */
const cropped = (area: number) => (p: Pixels, random: Random) => {
  const [width, height] = [Math.round(p.width * Math.sqrt(area)), Math.round(p.height * Math.sqrt(area))];
  const [left, top] = [random.whole(0, p.width - width), random.whole(0, p.height - height)];
  return show(p).extract({ left, top, width, height });
};

const bordered = (share: number, background: string) => (p: Pixels) => {
  const side = Math.round(share * Math.min(p.width, p.height));
  return show(p).extend({ top: side, bottom: side, left: side, right: side, background });
};

const overlaid =
  (draw: (width: number, height: number, random: Random) => Buffer) => (p: Pixels, random: Random) =>
    show(p).composite([{ input: draw(p.width, p.height, random) }]);

/** The canvas grows and its corners are black, as editors do. */
const rotated = (degrees: number) => (p: Pixels) => show(p).rotate(degrees, { background: 'black' });

const collage =
  (columns: number, rows: number) => async (p: Pixels, random: Random, others: readonly Pixels[]) => {
    const [width, height] = [Math.round(p.width / columns), Math.round(p.height / rows)];
    const cell = rows === 1 ? { width: p.width, height: p.height } : { width, height };
    const own = random.whole(0, columns * rows - 1);
    const tiles: OverlayOptions[] = [];
    for (let index = 0; index < columns * rows; index++) {
      const tile = index === own ? p : random.pick(others);
      const input = await show(tile)
        .resize(cell.width, cell.height, { fit: index === own ? 'fill' : 'cover' })
        .png()
        .toBuffer();
      tiles.push({
        input,
        left: (index % columns) * cell.width,
        top: Math.floor(index / columns) * cell.height,
      });
    }
    const size = { width: cell.width * columns, height: cell.height * rows };
    return sharp({ create: { ...size, channels: 3, background: 'white' } }).composite(tiles);
  };

/** Each corner moves inwards by up to `strength` of a side. */
const tilted = (strength: number) => (p: Pixels, random: Random) => {
  const inwards = (side: number) => random.between(0, strength) * side;
  const { width, height } = p;
  return show(
    inPerspective(
      p,
      [
        [inwards(width), inwards(height)],
        [width - inwards(width), inwards(height)],
        [width - inwards(width), height - inwards(height)],
        [inwards(width), height - inwards(height)],
      ],
      255,
    ),
  );
};

const screenshot = (theme: 'light' | 'dark') => async (p: Pixels, random: Random) => {
  const layout = screenshotLayout(p.width, p.height, random, theme);
  const { left, top, width, height } = layout.picture;
  const input = await show(p).resize(width, height, { fit: 'cover' }).png().toBuffer();
  const screen = await sharp(layout.screen).flatten().composite([{ input, left, top }]).png().toBuffer();
  return sharp(screen);
};

const easy = (
  name: string,
  apply: Transformation['apply'],
  save?: Transformation['save'],
): Transformation => ({
  name,
  half: 'easy',
  apply,
  ...(save && { save }),
});
const hard = (name: string, apply: Transformation['apply']): Transformation => ({
  name,
  half: 'hard',
  apply,
});

export const TRANSFORMATIONS: readonly Transformation[] = [
  easy('resize to 75%', resized(0.75)),
  easy('resize to 50%', resized(0.5)),
  easy('resize to 25%', resized(0.25)),
  ...[75, 40, 15].map((quality) => easy(`JPEG quality ${quality}`, show, (p) => p.jpeg({ quality }))),
  ...[75, 20].map((quality) => easy(`WebP quality ${quality}`, show, (p) => p.webp({ quality }))),
  easy('blur 0.3%', blurred(0.003)),
  easy('blur 0.8%', blurred(0.008)),
  easy('blur 1.6%', blurred(0.016)),
  easy('grey', (p) => show(p).greyscale()),
  easy('brightness 65%', (p) => show(p).modulate({ brightness: 0.65 })),
  easy('brightness 135%', (p) => show(p).modulate({ brightness: 1.35 })),
  easy('contrast 65%', contrasted(0.65)),
  easy('contrast 150%', contrasted(1.5)),
  easy('saturation 180%', (p) => show(p).modulate({ saturation: 1.8 })),
  easy('gamma 1.7', withGamma(1.7)),
  easy('warm tone', (p) => show(p).linear([1.15, 1, 0.8], [0, 0, 0])),

  hard('crop to 80%', cropped(0.8)),
  hard('crop to 50%', cropped(0.5)),
  hard('border black 10%', bordered(0.1, 'black')),
  hard('border white 20%', bordered(0.2, 'white')),
  hard(
    'text, one line',
    overlaid((w, h, random) => textOverlay(w, h, random, 'one')),
  ),
  hard(
    'text, top and bottom',
    overlaid((w, h, random) => textOverlay(w, h, random, 'top and bottom')),
  ),
  hard(
    'emoji, one of 25%',
    overlaid((w, h, random) => emojiOverlay(w, h, random, 1, 0.25)),
  ),
  hard(
    'emoji, three of 35%',
    overlaid((w, h, random) => emojiOverlay(w, h, random, 3, 0.35)),
  ),
  hard('rotate 5 degrees', rotated(5)),
  hard('rotate 25 degrees', rotated(25)),
  hard('rotate 90 degrees', rotated(90)),
  hard('mirror', (p) => show(p).flop()),
  hard('upside down', (p) => show(p).flip()),
  hard('collage of 2', collage(2, 1)),
  hard('collage of 4', collage(2, 2)),
  hard('perspective 10%', tilted(0.1)),
  hard('perspective 25%', tilted(0.25)),
  hard('screenshot, light', screenshot('light')),
  hard('screenshot, dark', screenshot('dark')),

  { name: 'crop to 25%', half: 'beyond', apply: cropped(0.25) },
  {
    name: 'stretch to 160%',
    half: 'beyond',
    apply: (p) => show(p).resize(Math.round(p.width * 1.6), p.height, { fit: 'fill' }),
  },
];

/** The transformed picture as a file, the same on every machine: `name` and the transformation seed what is random. */
export async function transform(
  transformation: Transformation,
  name: string,
  picture: Pixels,
  others: readonly Pixels[],
): Promise<Buffer> {
  const random = new Random(`${transformation.name}/${name}`);
  const transformed = await transformation.apply(picture, random, others);
  const save = transformation.save ?? ((p: Sharp) => p.jpeg({ quality: 90 }));
  return save(transformed).toBuffer();
}
