/**
 * An error a caller can act on. `code` is stable (it becomes the problem type of the HTTP API and never changes its
 * meaning); `message` names what was wrong and what was expected.
 */
export class LookalikeError extends Error {
  readonly code: string;
  /** What else a program may want to know, JSON-serialisable. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LookalikeError';
    this.code = code;
    this.details = options.details ?? {};
  }
}
