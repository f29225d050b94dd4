import type { Context } from 'aws-lambda';

/** Aborts a few seconds before Lambda would stop the function in the middle of something. */
export function timeLeft(context: Pick<Context, 'getRemainingTimeInMillis'>): AbortSignal {
  return AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - 5000));
}
