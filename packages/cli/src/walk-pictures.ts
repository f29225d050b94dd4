import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError, TEMPORARY_FOLDER } from '@lookalike/store';
import { errorText } from './cli-error.ts';
import { counted } from './counted.ts';
import type { FileError } from './picture-scan.ts';

export interface FoundFile {
  /** Relative to the folder, `/`-separated on every system. */
  path: string;
  absolute: string;
}

export interface PictureWalk {
  /** Ascending by path, by code unit: the same on every machine. */
  files: FoundFile[];
  /** Pictures by their names, in formats that cannot be decoded; in the same order. */
  unsupported: FoundFile[];
  /** Left out, by reason, for the summary. */
  skipped: { otherFiles: number; links: number; dataFolders: number };
  /** Folders that cannot be read, ending in `/`. */
  errors: FileError[];
}

const PICTURES = new Set(['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'apng', 'webp', 'avif', 'gif', 'tif', 'tiff']);
const UNSUPPORTED = new Set([
  'heic',
  'heif',
  'bmp',
  'jxl',
  'svg',
  'psd',
  'dng',
  'cr2',
  'cr3',
  'nef',
  'arw',
  'raf',
]);

/**
 * Every picture file below a folder, by its name's ending. Hidden files and folders are skipped, and so are symbolic links:
 * a link is not a copy of its target, and following it could walk in circles. So are folders in which Lookalike keeps collections,
 * with their thumbnails of pictures. A folder below that cannot be read stops nothing.
 * @throws LookalikeError `not-a-folder`, `no-pictures`.
 */
export async function walkPictures(folder: string): Promise<PictureWalk> {
  const walk = await findPictureFiles(folder);
  assertPictures(walk, folder);
  return walk;
}

/** The same, where it is no error that there is none. */
export async function findPictureFiles(folder: string): Promise<PictureWalk> {
  const facts = await stat(folder);
  if (!facts.isDirectory())
    throw new LookalikeError('not-a-folder', `${folder} is a file, expected a folder of pictures`);
  const walk: PictureWalk = {
    files: [],
    unsupported: [],
    skipped: { otherFiles: 0, links: 0, dataFolders: 0 },
    errors: [],
  };
  const pending = [''];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    let entries: Dirent[];
    try {
      entries = await readdir(join(folder, below), { withFileTypes: true });
    } catch (error) {
      if (below === '') throw error;
      walk.errors.push({ path: `${below}/`, error: errorText(error) });
      continue;
    }
    if (entries.some(({ name }) => name === TEMPORARY_FOLDER)) {
      walk.skipped.dataFolders++;
      continue;
    }
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isSymbolicLink()) walk.skipped.links++;
      else if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile()) sort(walk, path, join(folder, below, entry.name));
    }
  }
  for (const files of [walk.files, walk.unsupported]) files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return walk;
}

/** @throws LookalikeError `no-pictures` where there is no file that could be decoded. */
export function assertPictures(walk: PictureWalk, folder: string): void {
  if (walk.files.length === 0)
    throw new LookalikeError(
      'no-pictures',
      `no pictures in ${folder}: expected files ending in ${[...PICTURES].join(', ')}${skippedText(walk)}` +
        walk.errors.map(({ path, error }) => `\n  ${path}: ${error}`).join(''),
    );
}

function sort(walk: PictureWalk, path: string, absolute: string): void {
  const ending = endingOf(path);
  if (PICTURES.has(ending)) walk.files.push({ path, absolute });
  else if (UNSUPPORTED.has(ending)) walk.unsupported.push({ path, absolute });
  else walk.skipped.otherFiles++;
}

/** `jpg`, in small letters. */
export const endingOf = (path: string) => path.slice(path.lastIndexOf('.') + 1).toLowerCase();

/** Whether a file is taken for a picture, by its name's ending. */
export function hasPictureName(path: string): boolean {
  return PICTURES.has(endingOf(path));
}

/** ` (skipped: 3 not pictures, 1 symbolic link)`, or nothing. */
export function skippedText({ skipped, unsupported }: Pick<PictureWalk, 'skipped' | 'unsupported'>): string {
  const { otherFiles, links, dataFolders } = skipped;
  const parts = [
    ...(unsupported.length > 0 ? [`${unsupported.length} in a picture format not supported`] : []),
    ...(otherFiles > 0 ? [counted(otherFiles, 'not a picture', 'not pictures')] : []),
    ...(links > 0 ? [counted(links, 'symbolic link')] : []),
    ...(dataFolders > 0
      ? [counted(dataFolders, 'data folder of Lookalike', 'data folders of Lookalike')]
      : []),
  ];
  return parts.length === 0 ? '' : ` (skipped: ${parts.join(', ')})`;
}
