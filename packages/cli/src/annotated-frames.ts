import { decodeFullSize } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import sharp from 'sharp';

/** Frames of an animation are scaled down to this: they are all in memory at once, before they are compressed. */
const ANIMATION_SIDE = 480;
const MAX_ANIMATED = 1500;

/** @throws LookalikeError `too-many-frames` */
export function checkAnimation(frames: number): void {
  if (frames > MAX_ANIMATED)
    throw new LookalikeError(
      'too-many-frames',
      `${frames} frames are too many for one animation: expected at most ${MAX_ANIMATED}; give a folder to --out instead`,
    );
}

/**
 * A frame with the box and its score drawn in, as JPEG at its own size or as PNG at most 480 pixels a side. A lost target's
 * box is dashed and red.
 */
export async function annotatedFrame(
  bytes: Uint8Array,
  box: { x: number; y: number; width: number; height: number },
  { score, lost, format }: { score: number; lost: boolean; format: 'jpeg' | 'png' },
): Promise<Buffer> {
  const { width, height, pixels } = await decodeFullSize(bytes);
  const scale = format === 'png' ? Math.min(1, ANIMATION_SIDE / Math.max(width, height)) : 1;
  const [shownWidth, shownHeight] = [Math.round(width * scale), Math.round(height * scale)];
  const rectangle = [box.x, box.y, box.width, box.height].map((value) => (value * scale).toFixed(1));
  const [x, y, w, h] = rectangle as [string, string, string, string];
  const stroke = Math.max(2, Math.round(Math.max(shownWidth, shownHeight) / 240));
  const colour = lost ? '#d1242f' : '#39d353';
  const drawing =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${shownWidth}" height="${shownHeight}">` +
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="#000" stroke-opacity="0.5" stroke-width="${stroke + 2}"/>` +
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${colour}" stroke-width="${stroke}"` +
    `${lost ? ` stroke-dasharray="${stroke * 3}"` : ''}/>` +
    // A bar as long as the score is high: letters would need a font on the machine.
    `<rect x="${x}" y="${(box.y * scale - stroke * 3).toFixed(1)}" height="${stroke * 2}" fill="${colour}"` +
    ` width="${(Math.max(0, Math.min(1, score)) * box.width * scale).toFixed(1)}"/></svg>`;
  const drawn = sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(shownWidth, shownHeight, { fit: 'fill' })
    .composite([{ input: Buffer.from(drawing) }]);
  return format === 'png'
    ? drawn.png({ compressionLevel: 1 }).toBuffer()
    : drawn.jpeg({ quality: 90 }).toBuffer();
}

/** One animated WebP of frames of one size, 15 a second, shown again and again. */
export async function animatedWebp(frames: readonly Buffer[]): Promise<Buffer> {
  return sharp([...frames], { join: { animated: true } })
    .webp({ quality: 75, effort: 3, loop: 0, delay: frames.map(() => 66) })
    .toBuffer();
}
