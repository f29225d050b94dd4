import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Checks the signature of a presigned request as Amazon S3 does (Signature Version 4, "Authenticating Requests: Using Query
 * Parameters"). Why it is refused, or `undefined`.
 */
export function refusalOfPresigned(request: IncomingMessage, secret: string): string | undefined {
  const [path = '', search = ''] = (request.url ?? '').split('?');
  const query = new URLSearchParams(search);
  const given = query.get('X-Amz-Signature') ?? '';
  const date = query.get('X-Amz-Date') ?? '';
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!(Date.now() < signedAt + Number(query.get('X-Amz-Expires')) * 1000)) return 'Request has expired';
  const scope = (query.get('X-Amz-Credential') ?? '').split('/').slice(1);
  const signedHeaders = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  query.delete('X-Amz-Signature');
  const parameters = [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const headers = signedHeaders.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`);
  const canonical = [
    request.method,
    path,
    parameters,
    headers.join(''),
    signedHeaders.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), digest].join('\n');
  const key = scope.reduce<string | Buffer>((from, part) => hmac(from, part), `AWS4${secret}`);
  const expected = hmac(key, toSign).toString('hex');
  const same = expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
  return same ? undefined : `The signature does not match the request:\n${canonical}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
