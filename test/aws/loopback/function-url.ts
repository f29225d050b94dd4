import type { LambdaFunction } from './lambda-function.ts';

export interface FunctionUrlRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

interface FunctionUrlResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded?: boolean;
}

/** Calls a function the way its URL does (payload format 2.0). */
export async function callFunctionUrl(
  to: LambdaFunction,
  { method, path, headers = {}, body }: FunctionUrlRequest,
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const url = new URL(path, 'https://example.lambda-url.us-east-1.on.aws');
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: { host: url.host, 'x-forwarded-proto': 'https', ...headers },
    requestContext: {
      accountId: 'anonymous',
      apiId: 'example',
      domainName: url.host,
      domainPrefix: 'example',
      http: { method, path: url.pathname, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'loopback',
      routeKey: '$default',
      stage: '$default',
      time: '23/Nov/2026:00:00:00 +0000',
      timeEpoch: 1795392000000,
    },
    ...(body === undefined
      ? { isBase64Encoded: false }
      : typeof body === 'string'
        ? { body, isBase64Encoded: false }
        : { body: Buffer.from(body).toString('base64'), isBase64Encoded: true }),
  };
  const answer = await to.invoke<FunctionUrlResponse>(event);
  const text = answer.isBase64Encoded ? Buffer.from(answer.body, 'base64').toString() : answer.body;
  return { status: answer.statusCode, headers: answer.headers, text };
}
