import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { picture, pictureNames } from './page-under-test.ts';

type Stored = { id: string; body: Uint8Array };

/** What happens to pictures on their way through phones, chats and editors, under the names people give. */
const variants: { name: (base: string) => string; make: (from: Sharp, width: number) => Sharp }[] = [
  {
    name: (base) => `thumbs/${base}-small.webp`,
    make: (from, width) => from.resize(Math.round(width / 2)).webp({ quality: 60 }),
  },
  {
    name: (base) => `edited/${base}-bright.jpg`,
    make: (from) => from.modulate({ brightness: 1.2, saturation: 1.15 }).jpeg({ quality: 70 }),
  },
  { name: (base) => `chat/${base}-compressed.jpg`, make: (from) => from.jpeg({ quality: 25 }) },
  { name: (base) => `edited/${base}-grey.jpg`, make: (from) => from.greyscale().jpeg({ quality: 75 }) },
];

/** The test pictures, a byte-for-byte copy of the first, a lossless copy of the second, and `count` variants of each. */
export async function picturesAndVariants(count: number): Promise<Stored[]> {
  const stored: Stored[] = [];
  for (const [index, name] of pictureNames.entries()) {
    const base = name.replace(/\.\w+$/, '');
    const body = await readFile(picture(name));
    stored.push({ id: name, body });
    if (index === 0) stored.push({ id: `backup/${name}`, body });
    if (index === 1) stored.push({ id: `scans/${base}.png`, body: await sharp(body).png().toBuffer() });
    const { width } = await sharp(body).metadata();
    for (const variant of variants.slice(0, count)) {
      stored.push({ id: variant.name(base), body: await variant.make(sharp(body), width).toBuffer() });
    }
  }
  return stored;
}
