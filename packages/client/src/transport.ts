import { errorOfResponse, LookalikeApiError, shortened } from './api-error.ts';

export type RequestBody = string | Uint8Array<ArrayBuffer> | Blob;

/** What the hook `authorize` may add headers to. The body is all of it, so that it can be signed. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: RequestBody | undefined;
}

export interface TransportOptions {
  /** A key of the server, sent as `Authorization: Bearer`. */
  key?: string;
  /** Called before every attempt, for other ways to authorize, such as AWS Signature Version 4. */
  authorize?: (request: OutgoingRequest) => void | Promise<void>;
  /** Attempts after the first; default 3. */
  retries?: number;
  /** The longest wait between attempts, milliseconds; default 20,000. A `Retry-After` beyond it ends the attempts. */
  maxRetryDelay?: number;
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch;
}

export interface Call {
  method: string;
  /** Begins with `/`, percent-encoded. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  body?: RequestBody;
  /** The whole URL where it is not one of this server: then nothing authorizes it. */
  elsewhere?: string;
  signal?: AbortSignal | undefined;
  /** Sending it twice could do something else than sending it once, so that a lost answer is not tried again. */
  once?: boolean;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** What came of one attempt. */
type Outcome<T> =
  | { taken: T }
  /** Milliseconds after which another attempt may help; missing where none can. */
  | { error: LookalikeApiError; delay?: number | undefined };

const retriedStatuses = new Set([429, 502, 503, 504]);
const firstDelay = 200;

/** Sends requests, waiting and trying again where that can help. */
export class Transport {
  readonly #base: string;
  readonly #options: TransportOptions;

  constructor(baseUrl: string | URL, options: TransportOptions) {
    this.#base = String(baseUrl).replace(/\/+$/, '');
    this.#options = options;
  }

  url(path: string, query: Call['query'] = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    return this.#base + path + (parameters.size === 0 ? '' : `?${parameters}`);
  }

  /** A 2xx answer, its body still to come. Throws `LookalikeApiError`, or the reason of `signal`. */
  send(call: Call): Promise<Response> {
    return this.#repeat(call, async (response) => response);
  }

  /** The whole body of a 2xx answer; one that breaks off is a lost answer like any other. */
  text(call: Call): Promise<string> {
    return this.#repeat(call, (response) => response.text());
  }

  blob(call: Call): Promise<Blob> {
    return this.#repeat(call, (response) => response.blob());
  }

  /** A DELETE that may find what it is of gone after all: by an attempt of its own, of which the answer was lost. */
  delete(call: Omit<Call, 'method'>): Promise<void> {
    const take = async (response: Response) => response.body?.cancel();
    return this.#repeat({ ...call, method: 'DELETE' }, take, { taken: undefined });
  }

  /** `ifGone`: what it comes to where a repetition is told that there is no such thing, and an earlier attempt may have done it. */
  async #repeat<T>(call: Call, take: (response: Response) => Promise<T>, ifGone?: { taken: T }): Promise<T> {
    const retries = this.#options.retries ?? 3;
    let mayBeDone = false;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(call, attempt, take);
      if ('taken' in outcome) return outcome.taken;
      const { status, problem } = outcome.error;
      if (ifGone && mayBeDone && status === 404 && problem) return ifGone.taken;
      mayBeDone ||= !saysNothingWasDone(outcome.error);
      if (attempt >= retries || outcome.delay === undefined) throw outcome.error;
      await sleep(outcome.delay, call.signal);
    }
  }

  async #attempt<T>(
    call: Call,
    attempt: number,
    take: (response: Response) => Promise<T>,
  ): Promise<Outcome<T>> {
    const { key, authorize, fetch = globalThis.fetch } = this.#options;
    const request: OutgoingRequest = {
      method: call.method,
      url: call.elsewhere ?? this.url(call.path, call.query),
      headers: new Headers(call.headers),
      body: call.body,
    };
    if (call.elsewhere === undefined) {
      if (key !== undefined) request.headers.set('authorization', `Bearer ${key}`);
      await authorize?.(request);
    }
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: request.headers,
        ...(call.body === undefined ? {} : { body: call.body }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      if (response.ok) return { taken: await take(response) };
      const error = await errorOfResponse(response);
      const retriable = call.once ? saysNothingWasDone(error) : retriedStatuses.has(response.status);
      return { error, delay: retriable ? this.#delayAfter(response, attempt) : undefined };
    } catch (cause) {
      call.signal?.throwIfAborted();
      const why =
        cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      const error = new LookalikeApiError(
        0,
        'connection-failed',
        `no answer from ${call.elsewhere === undefined ? this.#base : new URL(call.elsewhere).origin}: ${why}`,
        { cause },
      );
      return { error, delay: call.once ? undefined : this.#backoff(attempt) };
    }
  }

  /** Exponential with full jitter, so that many clients do not come back at the same moment. */
  #backoff(attempt: number): number {
    return Math.random() * Math.min(firstDelay * 2 ** attempt, this.#options.maxRetryDelay ?? 20_000);
  }

  #delayAfter(response: Response, attempt: number): number | undefined {
    const header = response.headers.get('retry-after');
    if (header === null) return this.#backoff(attempt);
    const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
    if (Number.isNaN(seconds)) return this.#backoff(attempt);
    const asked = Math.max(0, seconds) * 1000;
    return asked > (this.#options.maxRetryDelay ?? 20_000) ? undefined : asked + this.#backoff(attempt);
  }

  /** As `json`, with a body of JSON. */
  sendJson<T>(
    method: Call['method'],
    path: string,
    body: unknown,
    options: CallOptions,
    more: Pick<Call, 'once'> = {},
  ): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.json<T>({ method, path, headers, body: JSON.stringify(body), ...options, ...more });
  }

  /** The JSON of a 2xx answer. `T` is what the API documents of this route. */
  async json<T>(call: Call): Promise<T> {
    return parseAnswer<T>(await this.text(call));
  }
}

/** Of an answer that is not of this API, such as the page of another server, throws `unexpected-answer`. */
export function parseAnswer<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const message = `the server answered something else than JSON: ${shortened(text)}`;
    throw new LookalikeApiError(0, 'unexpected-answer', message, { cause });
  }
}

/** A gateway in front of the server may have lost the answer to what was done; the server itself tells the two apart. */
function saysNothingWasDone({ status, problem }: LookalikeApiError): boolean {
  return status === 429 || (status === 503 && problem !== undefined && problem.code !== 'commit-unknown');
}

export function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
