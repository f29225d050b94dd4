import { LookalikeError } from '@lookalike/store';
import type { Problem } from './schemas.ts';

interface ProblemKind {
  status: number;
  title: string;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
}

/** Every code that a client can see, as a problem or as the error of one item. The codes never change their meaning. */
export const problemKinds: Readonly<Record<string, ProblemKind>> = {
  'invalid-request': { status: 400, title: 'The request is not what this route takes' },
  'invalid-json': { status: 400, title: 'The body is not JSON' },
  'json-too-deep': { status: 400, title: 'The JSON is nested too deeply' },
  'invalid-cursor': { status: 400, title: 'The cursor is not one of this route' },
  'invalid-key': { status: 400, title: 'The name cannot be stored' },
  'invalid-collection-name': { status: 400, title: 'The name of the collection is not valid' },
  'invalid-collection-config': { status: 400, title: 'The configuration of the collection is not valid' },
  'invalid-item-id': { status: 400, title: 'The id is not valid' },
  'invalid-vector': { status: 400, title: 'The vector is not valid' },
  'invalid-metadata': { status: 400, title: 'The metadata is not valid' },
  'invalid-filter': { status: 400, title: 'The filter is not valid' },
  'invalid-query': { status: 400, title: 'The query is not valid' },
  'dimension-mismatch': { status: 400, title: 'The vector has not the dimension of the collection' },
  unauthorized: { status: 401, title: 'No valid key' },
  forbidden: { status: 403, title: 'The key does not allow this' },
  'host-not-allowed': { status: 403, title: 'The host of the request is not allowed' },
  'origin-not-allowed': { status: 403, title: 'The origin of the request is not allowed' },
  'unknown-route': { status: 404, title: 'There is no such route' },
  'unknown-collection': { status: 404, title: 'There is no such collection' },
  'unknown-item': { status: 404, title: 'There is no such item' },
  'unknown-model': { status: 404, title: 'There is no such model' },
  'unknown-job': { status: 404, title: 'There is no such job' },
  'no-thumbnail': { status: 404, title: 'The item has no thumbnail' },
  'method-not-allowed': { status: 405, title: 'The route does not take this method' },
  'collection-exists': { status: 409, title: 'The collection exists with another configuration' },
  'collection-without-encoder': { status: 409, title: 'The collection takes vectors, not pictures' },
  'encoder-mismatch': { status: 409, title: 'The collection is bound to another encoder' },
  'version-conflict': { status: 412, title: 'The item is not at the version the write asks for' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The route does not take this type of body' },
  'picture-empty': { status: 422, title: 'The picture is empty' },
  'picture-too-large': { status: 422, title: 'The picture file is too large' },
  'picture-too-many-pixels': { status: 422, title: 'The picture has too many pixels' },
  'picture-unsupported-format': { status: 422, title: 'The file is not a picture of a supported format' },
  'picture-damaged': { status: 422, title: 'The picture cannot be decoded' },
  'too-many-requests': { status: 429, title: 'Too many requests', retryAfter: 1 },
  internal: { status: 500, title: 'The server failed' },
  overloaded: { status: 503, title: 'The server has too much to do', retryAfter: 1 },
  closed: { status: 503, title: 'The server is stopping', retryAfter: 2 },
  'version-unavailable': { status: 503, title: 'The version asked for cannot be read yet', retryAfter: 1 },
};

const typePrefix = 'urn:lookalike:problem:';

/** Whether `error` may be shown to the client: it says what was wrong with the request or its data. */
export function isPresentable(error: unknown): error is LookalikeError {
  return error instanceof LookalikeError && problemKinds[error.code] !== undefined;
}

/** The problem for `error`; what is not meant for clients becomes `internal`, its text stays in the log. */
export function problemOf(error: unknown, requestId: string): { problem: Problem; retryAfter?: number } {
  const code = isPresentable(error) ? error.code : 'internal';
  const kind = problemKinds[code] ?? { status: 500, title: 'The server failed' };
  const problem: Problem = {
    ...(isPresentable(error) ? error.details : {}),
    type: `${typePrefix}${code}`,
    title: kind.title,
    status: kind.status,
    detail: isPresentable(error)
      ? error.message
      : 'Something went wrong inside the server; its log has more under this request id.',
    code,
    requestId,
  };
  return kind.retryAfter === undefined ? { problem } : { problem, retryAfter: kind.retryAfter };
}

export function problemResponse(error: unknown, requestId: string): Response {
  const { problem, retryAfter } = problemOf(error, requestId);
  const headers = new Headers({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
  });
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter));
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer realm="lookalike"');
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** The error of one item of a batch: the same codes as of problems. */
export function itemErrorOf(error: unknown): { code: string; message: string } {
  if (isPresentable(error)) return { code: error.code, message: error.message };
  throw error;
}
