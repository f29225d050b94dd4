import type { Problem } from '@lookalike/api/schemas';

/** What the server refused or could not do. `code` is stable: see the list of problems in the documentation. */
export class LookalikeApiError extends Error {
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Such as `unknown-collection`; `connection-failed` where no answer came, `unexpected-answer` where it is not of this API. */
  readonly code: string;
  /** To find the request in the log of the server. */
  readonly requestId: string | undefined;
  /** The whole problem, with further members. */
  readonly problem: Problem | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { problem?: Problem; requestId?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LookalikeApiError';
    this.status = status;
    this.code = code;
    this.problem = options.problem;
    this.requestId = options.problem?.requestId ?? options.requestId;
  }
}

/** The error of an answer that is not 2xx. */
export async function errorOfResponse(response: Response): Promise<LookalikeApiError> {
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const options = requestId === undefined ? {} : { requestId };
  const text = await response.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    if (isProblem(body)) {
      return new LookalikeApiError(response.status, body.code, body.detail, { ...options, problem: body });
    }
  } catch {
    // Not of this API: a proxy in between, or another server.
  }
  return new LookalikeApiError(
    response.status,
    'unexpected-answer',
    `the server answered ${response.status} ${response.statusText} without a problem: ${shortened(text)}`,
    options,
  );
}

/** Of text for a message. */
export function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false;
  const { code, detail } = body as { code?: unknown; detail?: unknown };
  return typeof code === 'string' && typeof detail === 'string';
}
