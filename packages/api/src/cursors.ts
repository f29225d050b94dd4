import { LookalikeError } from '@lookalike/store';

/**
 * A cursor names the last id of the page before, not a position: it stays valid whatever is written, deleted or compacted
 * in between. `kind` keeps the cursor of one route from being understood by another.
 */
export function encodeCursor(kind: string, after: string): string {
  return Buffer.from(JSON.stringify([kind, after])).toString('base64url');
}

/** Throws `invalid-cursor`. */
export function decodeCursor(kind: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === 2 && parts[0] === kind && typeof parts[1] === 'string')
      return parts[1];
  } catch {
    // Said below.
  }
  throw new LookalikeError('invalid-cursor', 'the cursor is not one that this route gave out');
}
