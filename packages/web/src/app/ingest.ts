export interface IngestProgress {
  total: number;
  done: number;
  stored: number;
  errors: { path: string; message: string }[];
}

/** Pictures sent at the same time: enough to keep the server's encoder threads busy while others travel. */
const parallel = 4;

/**
 * Sends every file, a few at a time. A bad one is noted and never stops the others; `fatal` says which errors mean
 * that no other file can fare better (then it throws, and what was stored stays stored).
 */
export async function ingestFiles<F extends { path: string }>(
  files: readonly F[],
  send: (file: F, signal: AbortSignal) => Promise<void>,
  options: {
    signal: AbortSignal;
    fatal: (error: unknown) => boolean;
    onProgress: (progress: IngestProgress) => void;
  },
): Promise<IngestProgress> {
  const progress: IngestProgress = { total: files.length, done: 0, stored: 0, errors: [] };
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const queue = files.values();
  const worker = async () => {
    for (const file of queue) {
      if (signal.aborted) return;
      try {
        await send(file, signal);
        progress.stored++;
      } catch (error) {
        if (signal.aborted) return;
        if (options.fatal(error)) {
          stop.abort();
          throw error;
        }
        progress.errors.push({
          path: file.path,
          message: error instanceof Error ? error.message : String(error),
        });
      }
      progress.done++;
      options.onProgress({ ...progress, errors: [...progress.errors] });
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return progress;
}
