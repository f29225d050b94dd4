import { note } from './output.ts';
import { PictureCache } from './picture-cache.ts';
import { cacheFolder } from './user-folders.ts';

/** Result codes of SQLite: a file that may only be read, one that cannot be opened. */
const SQLITE_OUT_OF_REACH = [8, 14];

/** The cache of this user. Where it has no place, as with a home folder that is read-only, one that ends with the command. */
export function openPictureCache(): PictureCache {
  const folder = cacheFolder();
  try {
    return PictureCache.open(folder);
  } catch (error) {
    const { syscall, errcode, message } = error as Error & { syscall?: string; errcode?: number };
    if (syscall === undefined && !SQLITE_OUT_OF_REACH.includes(errcode ?? 0)) throw error;
    note(
      `Cannot use the cache in ${folder}: ${message}. What is learnt of pictures is not kept (LOOKALIKE_CACHE_DIR names another folder).`,
    );
    return PictureCache.inMemory();
  }
}
