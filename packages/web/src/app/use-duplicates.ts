import { useCallback, useEffect, useState } from 'preact/hooks';
import { presentGroups } from './duplicate-items.ts';
import { type DuplicateGroup, type DuplicatesJob, server } from './server.ts';

/** Groups a request; a page of ten thousand groups arrives in twenty of them while the first is already shown. */
const pageSize = 500;
const pollMilliseconds = 700;

export interface Duplicates {
  job: DuplicatesJob | undefined;
  groups: DuplicateGroup[];
  /** All groups of a finished job are here. */
  complete: boolean;
  /** Items of these groups that have been deleted since. */
  gone: number;
  error: unknown;
  reload: () => void;
}

/** Follows a job until it is done, then brings all of its groups, page by page, with what is known of their items. */
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
      let gone = 0;
      for (;;) {
        const job = await server.duplicatesPage(collection, id, {
          ...(cursor && { cursor }),
          limit: pageSize,
          include: 'metadata',
          signal,
        });
        if (job.status === 'running') {
          if (!signal.aborted) setState({ ...nothing, job });
          await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
          if (signal.aborted) return;
          continue;
        }
        const found = presentGroups(job.groups ?? []);
        if (signal.aborted) return;
        groups = [...groups, ...found.groups];
        gone += found.gone;
        cursor = job.cursor;
        setState({ job, groups, complete: cursor === undefined, gone, error: undefined });
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

const nothing = { job: undefined, groups: [], complete: false, gone: 0, error: undefined };
