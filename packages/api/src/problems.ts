import { LookalikeError } from '@lookalike/store';
import type { Problem } from './schemas.ts';

interface ProblemKind {
  status: number;
  title: string;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
  /** Its message is for the log: it may name folders and hosts. */
  isPrivate?: true;
}

/** Every code that a client can see, as a problem or as the error of one item. The codes never change their meaning. */
export const problemKinds: Readonly<Record<string, ProblemKind>> = {
  'invalid-request': { status: 400, title: 'The request is not what this route takes' },
  'invalid-json': { status: 400, title: 'The body is not JSON' },
  'json-too-deep': { status: 400, title: 'The JSON is nested too deeply' },
  'invalid-cursor': { status: 400, title: 'The cursor is not one of this route' },
  'invalid-collection-name': { status: 400, title: 'The name of the collection is not valid' },
  'invalid-config': { status: 400, title: 'The configuration of the collection is not valid' },
  'invalid-item': { status: 400, title: 'The item is not valid' },
  'invalid-id': { status: 400, title: 'The id is not valid' },
  'invalid-vector': { status: 400, title: 'The vector is not valid' },
  'invalid-metadata': { status: 400, title: 'The metadata is not valid' },
  'invalid-arrow': { status: 400, title: 'The Arrow data is not what is expected' },
  'invalid-filter': { status: 400, title: 'The filter is not valid' },
  unauthorized: { status: 401, title: 'No valid key' },
  forbidden: { status: 403, title: 'The key does not allow this' },
  'host-not-allowed': { status: 403, title: 'The host of the request is not allowed' },
  'origin-not-allowed': { status: 403, title: 'The origin of the request is not allowed' },
  'unknown-route': { status: 404, title: 'There is no such route' },
  'unknown-collection': { status: 404, title: 'There is no such collection' },
  'unknown-item': { status: 404, title: 'There is no such item' },
  'unknown-model': { status: 404, title: 'There is no such model' },
  'unknown-job': { status: 404, title: 'There is no such job' },
  'unknown-upload': { status: 404, title: 'There is no such upload' },
  'no-thumbnail': { status: 404, title: 'The item has no thumbnail' },
  'method-not-allowed': { status: 405, title: 'The route does not take this method' },
  'collection-exists': { status: 409, title: 'The collection exists with another configuration' },
  'collection-without-encoder': { status: 409, title: 'The collection takes vectors, not pictures' },
  'encoder-mismatch': { status: 409, title: 'The collection is bound to another encoder' },
  'unknown-version': { status: 409, title: 'The collection has not reached the version asked for' },
  'too-few-items': { status: 409, title: 'The collection has too few items for this' },
  'no-threshold': { status: 409, title: 'There is no calibrated threshold for this' },
  'metric-not-supported': { status: 409, title: 'The metric of the collection does not allow this' },
  'too-many-pairs': { status: 409, title: 'The threshold pairs too many items' },
  'too-many-items': { status: 409, title: 'The collection has too many items for this' },
  'no-uploads': { status: 409, title: 'The deployment takes no uploads' },
  'version-conflict': { status: 412, title: 'The item is not at the version the write asks for' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'batch-too-large': { status: 413, title: 'The batch is too large' },
  'unsupported-media-type': { status: 415, title: 'The route does not take this type of body' },
  'picture-empty': { status: 422, title: 'The picture is empty' },
  'picture-too-large': { status: 422, title: 'The picture file is too large' },
  'picture-too-many-pixels': { status: 422, title: 'The picture has too many pixels' },
  'picture-unsupported-format': { status: 422, title: 'The file is not a picture of a supported format' },
  'picture-damaged': { status: 422, title: 'The picture cannot be decoded' },
  internal: { status: 500, title: 'The server failed', isPrivate: true },
  'job-lost': { status: 500, title: 'The job ended with the server that ran it' },
  'damaged-object': { status: 500, title: 'A stored object is damaged' },
  'missing-object': { status: 500, title: 'A stored object is missing' },
  'unknown-format': { status: 500, title: 'A stored object has a format of another release' },
  overloaded: { status: 429, title: 'The server has too much to do', retryAfter: 1 },
  'store-unavailable': {
    status: 503,
    title: 'The object store does not answer',
    retryAfter: 2,
    isPrivate: true,
  },
  'write-failed': {
    status: 503,
    title: 'The object store did not take the write',
    retryAfter: 2,
    isPrivate: true,
  },
  'commit-unknown': {
    status: 503,
    title: 'The write may or may not have happened; writing it again is safe',
    retryAfter: 2,
    isPrivate: true,
  },
  closed: { status: 503, title: 'The server is stopping', retryAfter: 2, isPrivate: true },
};

const internal: ProblemKind = { status: 500, title: 'The server failed', isPrivate: true };

const typePrefix = 'urn:lookalike:problem:';

function kindOf(error: unknown): { code: string; kind: ProblemKind } {
  const kind = error instanceof LookalikeError ? problemKinds[error.code] : undefined;
  return kind === undefined
    ? { code: 'internal', kind: internal }
    : { code: (error as LookalikeError).code, kind };
}

/** Whether the server failed, not the request. */
export function isServerFailure(error: unknown): boolean {
  return kindOf(error).kind.status >= 500;
}

/** The problem for `error`. What is not meant for clients keeps its text for the log. */
export function problemOf(error: unknown, requestId: string): { problem: Problem; retryAfter?: number } {
  const { code, kind } = kindOf(error);
  const shown = error instanceof LookalikeError && kind.isPrivate === undefined ? error : undefined;
  const problem: Problem = {
    ...shown?.details,
    type: `${typePrefix}${code}`,
    title: kind.title,
    status: kind.status,
    detail: shown?.message ?? `${kind.title}. The log of the server has more under this request id.`,
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

/** The error of one item of a batch: the same codes as of problems. What is not the item's fault is thrown on. */
export function itemErrorOf(error: unknown): { code: string; message: string } {
  if (error instanceof LookalikeError && !isServerFailure(error))
    return { code: error.code, message: error.message };
  throw error;
}
