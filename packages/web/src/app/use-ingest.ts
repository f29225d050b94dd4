import { LookalikeApiError } from '@lookalike/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { IngestRun } from './components/ingest-tray.tsx';
import { ingestFiles } from './ingest.ts';
import type { ChosenFile } from './picture-files.ts';
import { server } from './server.ts';

/** Answers that mean the other files cannot fare better: no server, no right to write, no such collection. */
const isFatal = (error: unknown) =>
  error instanceof LookalikeApiError && [0, 401, 403, 404, 409].includes(error.status);

export interface IngestControl {
  run: IngestRun | undefined;
  start: (collection: string, files: ChosenFile[], isNew: boolean) => void;
  stop: () => void;
  close: () => void;
}

/** The one ingest of this page; it lives above the views, so that going elsewhere does not stop it. */
export function useIngest(onWritten: () => void): IngestControl {
  const [run, setRun] = useState<IngestRun>();
  const controller = useRef<AbortController>(null);
  const running = run?.state === 'running';

  useEffect(() => {
    if (!running) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [running]);

  const start = async (collection: string, files: ChosenFile[], isNew: boolean) => {
    const abort = new AbortController();
    controller.current = abort;
    const progress = { total: files.length, done: 0, stored: 0, errors: [] };
    const base = { collection, startedAt: Date.now() };
    setRun({ ...base, progress, state: 'running' });
    try {
      if (isNew) await server.createCollection(collection);
      const end = await ingestFiles(
        files,
        async ({ path, file }, signal) => {
          await server.putPicture(collection, path, file, { signal });
        },
        {
          signal: abort.signal,
          fatal: isFatal,
          onProgress: (now) => setRun({ ...base, progress: now, state: 'running' }),
        },
      );
      setRun({ ...base, progress: end, state: abort.signal.aborted ? 'stopped' : 'done' });
    } catch (error) {
      setRun((last) => ({ ...base, progress: last?.progress ?? progress, state: 'failed', error }));
    }
    onWritten();
  };

  return {
    run,
    start: (collection, files, isNew) => {
      if (!running) void start(collection, files, isNew);
    },
    stop: () => controller.current?.abort(),
    close: () => setRun(undefined),
  };
}
