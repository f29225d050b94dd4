import sharp, { type Sharp } from 'sharp';

const [WIDTH, HEIGHT] = [180, 120];

/** Frames that pan over a picture, from left to right. */
export async function madeFrames(picture: string | Uint8Array, count: number): Promise<Buffer[]> {
  const wide = await sharp(picture)
    .resize(2 * WIDTH, HEIGHT, { fit: 'cover' })
    .removeAlpha()
    .png()
    .toBuffer();
  return Promise.all(
    Array.from({ length: count }, (_, frame) =>
      sharp(wide)
        .extract({ left: Math.round((frame * WIDTH) / count), top: 0, width: WIDTH, height: HEIGHT })
        .png()
        .toBuffer(),
    ),
  );
}

/** One after the other. */
export function animation(frames: readonly Buffer[]): Sharp {
  return sharp([...frames], { join: { animated: true } });
}

/** A GIF file of them, made in little time. */
export function animatedGif(frames: readonly Buffer[]): Promise<Buffer> {
  const delay = frames.map(() => 50);
  return animation(frames).gif({ effort: 1, delay, keepDuplicateFrames: true }).toBuffer();
}

/** Another size of an animation that was written: resized in one go, frames would be taken for one picture. */
export function resized(file: Buffer, width: number): Sharp {
  return sharp(file, { pages: -1 }).resize(width);
}
