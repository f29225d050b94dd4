/** Runs work when fewer than `most` others are under way, in the order asked; what is aborted while it waits never runs. */
export function workQueue(most: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    while (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
