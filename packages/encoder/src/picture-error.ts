import type { PictureErrorCode } from './encoder.ts';

/** What is wrong with one picture; `message` says what was found and what was expected. */
export class PictureError extends Error {
  readonly code: PictureErrorCode;

  constructor(code: PictureErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PictureError';
    this.code = code;
  }
}
