import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import sharp from 'sharp';

/** Data for tests lie beside the repository, never inside it. */
const folder = process.env.LOOKALIKE_DATA ?? join(import.meta.dirname, '../../../shared/data');

/** The path of a part of the research data, where it is there. */
export function researchData(...parts: string[]): string | undefined {
  const path = join(folder, ...parts);
  return existsSync(path) ? path : undefined;
}

/** For the title of a test that needs data. */
export const skipped = (path: string | undefined) => (path === undefined ? ' (skipped: no data)' : '');

/** A binary PGM (P5, 8 bits) as PNG: sharp reads no PGM. */
export function pngOfPgm(file: string): Promise<Buffer> {
  const bytes = readFileSync(file);
  const header = /^P5\s+(?:#.*\s+)*(\d+)\s+(\d+)\s+255\s/.exec(bytes.toString('latin1', 0, 200));
  if (!header) throw new Error(`${file} is no binary PGM of 8 bits`);
  const [all, width, height] = header;
  return sharp(bytes.subarray(all.length), {
    raw: { width: Number(width), height: Number(height), channels: 1 },
  })
    .png()
    .toBuffer();
}

/** The files of a zip archive by name; stored or deflated, as archives of data sets are. */
export function readZip(file: string): Map<string, Buffer> {
  const bytes = readFileSync(file);
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error(`${file} is no zip archive`);
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const content = bytes.subarray(start, start + packed);
    files.set(
      bytes.toString('utf8', at + 46, at + 46 + name),
      method === 0 ? content : inflateRawSync(content),
    );
    at += 46 + name + extra + comment;
  }
  return files;
}

/** Sorted, so that a test means the same everywhere. */
export const filesOf = (path: string) =>
  readdirSync(path)
    .sort()
    .map((name) => join(path, name));
