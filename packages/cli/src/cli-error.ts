import { LookalikeError } from '@lookalike/store';
import { cacheFolder } from './user-folders.ts';

/** Exit statuses: what a script may rely on. */
export const EXIT = {
  /** Done; `dedupe` found groups, `query` found matches, `compare` says the same. */
  ok: 0,
  /** Done, and the answer is no: nothing found, or the pictures differ. */
  nothing: 1,
  /** Wrong usage, or the work could not be done. */
  error: 2,
} as const;

/** What to tell a person of anything thrown: one line for what was foreseen, the stack for what was not. */
export function errorText(error: unknown): string {
  if (error instanceof LookalikeError) return error.message;
  if (error instanceof Error) {
    const system = error as NodeJS.ErrnoException;
    // Node reads a name that is not UTF-8 with this character in it, and finds no file of such a name.
    if (system.code === 'ENOENT' && system.path?.includes('\ufffd'))
      return `its name is not UTF-8, so that it cannot be opened: ${system.path}`;
    if (system.code === 'ENOENT') return `no such file or folder: ${system.path ?? error.message}`;
    if (system.code === 'EACCES' || system.code === 'EPERM')
      return `not allowed: ${system.path ?? error.message}`;
    if (system.code !== undefined && system.syscall !== undefined) return error.message;
    // Nothing but the cache of pictures is in SQLite.
    if (system.code === 'ERR_SQLITE_ERROR')
      return `cannot use the cache in ${cacheFolder()}: ${error.message} (LOOKALIKE_CACHE_DIR names another folder)`;
    if (error.message.startsWith('Could not load the "sharp" module'))
      return 'sharp, which reads pictures, lacks its binaries for this machine: they are optional dependencies, so install those too (npm install --include=optional)';
    // Of the client: an answer of the server, already in words.
    if (error.name !== 'Error' && error.name !== 'TypeError' && error.name !== 'RangeError')
      return error.message;
    return error.stack ?? error.message;
  }
  return String(error);
}
