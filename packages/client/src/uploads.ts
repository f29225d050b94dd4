import { LookalikeApiError } from './api-error.ts';

/** Whether a platform in front of the API (AWS Lambda, a proxy) takes no request that large; the API itself says so in a problem. */
function isPlatformLimit(error: unknown): boolean {
  return error instanceof LookalikeApiError && error.status === 413 && error.problem === undefined;
}

/** `send`, or, where a request takes no picture that large, `byUpload`. */
export async function orByUpload<T>(send: () => Promise<T>, byUpload: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!isPlatformLimit(error)) throw error;
    return byUpload().catch((second: unknown) => {
      throw second instanceof LookalikeApiError && second.code === 'no-uploads' ? error : second;
    });
  }
}
