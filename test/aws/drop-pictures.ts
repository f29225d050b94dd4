import { readFileSync } from 'node:fs';
import sharp from 'sharp';

const names = [
  'astronaut',
  'bricks',
  'cat',
  'coffee',
  'galaxies',
  'grass',
  'photographer',
  'raccoon',
  'retina',
  'rocket',
  'stairs',
];

export function photograph(name: string): Buffer {
  return readFileSync(new URL(`../pictures/${name}.jpg`, import.meta.url));
}

/** `count` different pictures: parts of the project's photographs, each at another place. */
export async function differentPictures(count: number): Promise<Buffer[]> {
  const pictures: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const image = sharp(photograph(names[index % names.length] as string));
    const { width, height } = await image.metadata();
    const size = Math.floor(Math.min(width, height) / 2);
    const step = Math.floor(index / names.length) / Math.ceil(count / names.length);
    const left = Math.floor((width - size) * step);
    const top = Math.floor((height - size) * ((step * 7) % 1));
    const part = image.extract({ left, top, width: size, height: size }).resize(256, 256, { fit: 'fill' });
    pictures.push(await part.jpeg({ quality: 90 }).toBuffer());
  }
  return pictures;
}

/** What people's buckets hold among their pictures. */
export async function badPictures(): Promise<{ name: string; body: Buffer; code: string }[]> {
  const cat = photograph('cat');
  const damaged = Buffer.from(cat);
  damaged.fill(0, 20, 2000);
  return [
    { name: 'notes.jpg', body: Buffer.from('not a picture'), code: 'picture-unsupported-format' },
    { name: 'empty.jpg', body: Buffer.alloc(0), code: 'picture-empty' },
    { name: 'half.jpg', body: cat.subarray(0, cat.length / 3), code: 'picture-damaged' },
    { name: 'zeroed.jpg', body: damaged, code: 'picture-damaged' },
    {
      name: 'page.html',
      body: Buffer.from('<!doctype html><title>404</title>'),
      code: 'picture-unsupported-format',
    },
  ];
}
