import { LookalikeError } from '@lookalike/store';

function tooLarge(limit: number): LookalikeError {
  return new LookalikeError(
    'body-too-large',
    `the body is larger than the ${limit} bytes that this route takes`,
    {
      details: { limit },
    },
  );
}

/** The chunks of the body as they come. The source is read only as fast as the caller takes them. */
export async function* readChunks(request: Request): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The whole body; stops reading with `body-too-large` as soon as it passes `limit` bytes. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 'NaN');
  if (declared > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of readChunks(request)) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
}

/**
 * Refuses what would overflow the stack of a recursive reader. Walks with a stack of its own.
 * Throws `json-too-deep`.
 */
export function assertDepth(value: unknown, limit: number): void {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth > limit) {
      throw new LookalikeError('json-too-deep', `the JSON is nested deeper than ${limit} levels`, {
        details: { limit },
      });
    }
    // A vector is the bulk of most bodies and holds nothing to descend into.
    if (Array.isArray(next.value) && typeof next.value[0] === 'number' && next.value.every(isNumber))
      continue;
    for (const child of Object.values(next.value)) {
      if (typeof child === 'object' && child !== null) pending.push({ value: child, depth: next.depth + 1 });
    }
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Throws `invalid-json` or `json-too-deep`. */
export function parseJson(bytes: Uint8Array, depth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LookalikeError('invalid-json', `expected JSON in UTF-8: ${why}`, { cause });
  }
  assertDepth(value, depth);
  return value;
}

/** Throws `unsupported-media-type` where the body is compressed, `invalid-request` where the path is not percent-encoded UTF-8. */
export function assertReadable(request: Request): void {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity')
    throw new LookalikeError(
      'unsupported-media-type',
      `expected a body as it is, without a content-encoding, got ${encoding}`,
    );
  const { pathname } = new URL(request.url);
  try {
    decodeURIComponent(pathname);
  } catch (cause) {
    throw new LookalikeError('invalid-request', `${pathname} is not percent-encoded UTF-8`, { cause });
  }
}

/** The media type without parameters, in lower case; empty where the request names none. */
export function mediaTypeOf(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Media types whose body is taken as the bytes of a picture file; what it really is, its first bytes say. */
export function isPictureType(type: string): boolean {
  return type.startsWith('image/') || type === 'application/octet-stream';
}

export interface BodyLimits {
  jsonBytes: number;
  jsonDepth: number;
}

/**
 * The JSON of a body that says it is JSON. An empty body is `undefined`. The type must be stated: a page of another origin
 * can send `text/plain` without being asked, but not `application/json`.
 */
export async function readJson(request: Request, limits: BodyLimits): Promise<unknown> {
  const type = mediaTypeOf(request);
  if (type !== '' && type !== 'application/json' && !/^application\/[a-z.-]+\+json$/.test(type)) {
    throw unsupportedMediaType(type, 'application/json');
  }
  const bytes = await readBytes(request, limits.jsonBytes);
  if (bytes.byteLength === 0) return undefined;
  if (type === '') throw unsupportedMediaType('', 'application/json');
  return parseJson(bytes, limits.jsonDepth);
}

export function unsupportedMediaType(got: string, expected: string): LookalikeError {
  return new LookalikeError(
    'unsupported-media-type',
    `expected a body of type ${expected}, got ${got === '' ? 'no content-type' : got}`,
  );
}

/**
 * The lines of an NDJSON body as bytes, without empty ones, never holding more than one line and one chunk. Throws
 * `body-too-large` for a line over `limit` bytes.
 */
export async function* readLines(request: Request, limit: number): AsyncGenerator<Uint8Array> {
  const newline = 0x0a;
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of readChunks(request)) {
    let start = 0;
    for (let end = chunk.indexOf(newline); ; end = chunk.indexOf(newline, start)) {
      const part = chunk.subarray(start, end === -1 ? undefined : end);
      size += part.byteLength;
      if (size > limit) throw tooLarge(limit);
      if (part.byteLength > 0) parts.push(part);
      if (end === -1) break;
      const line = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, size);
      parts = [];
      size = 0;
      start = end + 1;
      if (!isBlank(line)) yield line;
    }
  }
  const last = Buffer.concat(parts, size);
  if (!isBlank(last)) yield last;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
