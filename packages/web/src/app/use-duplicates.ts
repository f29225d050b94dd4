import { useCallback, useEffect, useState } from 'preact/hooks';
import { type DuplicateGroup, type DuplicatesJob, server } from './server.ts';

/** Groups a request; a page of ten thousand groups arrives in twenty of them while the first is already shown. */
const pageSize = 500;
const pollMilliseconds = 700;

export interface Duplicates {
  job: DuplicatesJob | undefined;
  groups: DuplicateGroup[];
  /** All groups of a finished job are here. */
  complete: boolean;
  error: unknown;
  reload: () => void;
}

/** Follows a job until it is done, then brings all of its groups, page by page. */
export function useDuplicates(collection: string, id: string | undefined): Duplicates {
  const [state, setState] = useState<Omit<Duplicates, 'reload'>>(nothing);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    setState(nothing);
    if (id === undefined) return;
    const controller = new AbortController();
    const { signal } = controller;
    const follow = async () => {
      let cursor: string | undefined;
      let groups: DuplicateGroup[] = [];
      for (;;) {
        const job = await server.duplicatesPage(collection, id, {
          ...(cursor && { cursor }),
          limit: pageSize,
          signal,
        });
        if (signal.aborted) return;
        if (job.status === 'running') {
          setState({ job, groups, complete: false, error: undefined });
          await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
          continue;
        }
        groups = [...groups, ...(job.groups ?? [])];
        cursor = job.cursor;
        setState({ job, groups, complete: cursor === undefined, error: undefined });
        if (cursor === undefined) return;
      }
    };
    follow().catch((error: unknown) => {
      if (!signal.aborted) setState((last) => ({ ...last, error }));
    });
    return () => controller.abort();
  }, [collection, id, attempt]);
  return { ...state, reload: useCallback(() => setAttempt((count) => count + 1), []) };
}

const nothing = { job: undefined, groups: [], complete: false, error: undefined };
