import { LookalikeError } from '@lookalike/store';
import type { Position } from './nearest.ts';

/** An opaque text for where a page of a range search ended. */
export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify([position.distance, position.id])).toString('base64url');
}

export function decodeCursor(cursor: string): Position {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 2) {
      const [distance, id] = parsed;
      if (typeof distance === 'number' && typeof id === 'string') return { distance, id };
    }
  } catch {
    // Answered below.
  }
  throw new LookalikeError('invalid-request', 'cursor: expected the cursor of a page before');
}
