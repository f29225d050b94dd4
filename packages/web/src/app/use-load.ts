import { useCallback, useEffect, useState } from 'preact/hooks';

export type Loading<T> =
  | { state: 'loading'; value?: T }
  | { state: 'ready'; value: T }
  | { state: 'failed'; error: unknown; value?: T };

/**
 * Runs `load` when `subject` or `revision` changes (not at all while `subject` is undefined) and on `reload`; an answer
 * that a newer request has overtaken is dropped. The last value stays while another one of the same subject is on its
 * way, so that a page does not flicker.
 */
export function useLoad<T>(
  subject: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  revision: string | number = '',
): Loading<T> & { reload: () => void } {
  const [attempt, setAttempt] = useState(0);
  const [loaded, setLoaded] = useState<{ subject?: string | undefined; loading: Loading<T> }>({
    loading: { state: 'loading' },
  });
  useEffect(() => {
    if (subject === undefined) return;
    const controller = new AbortController();
    const settle = (next: (last: { value?: T }) => Loading<T>) => {
      if (controller.signal.aborted) return;
      setLoaded((before) => ({ subject, loading: next(before.subject === subject ? before.loading : {}) }));
    };
    const kept = ({ value }: { value?: T }) => (value === undefined ? {} : { value });
    settle((last) => ({ state: 'loading', ...kept(last) }));
    load(controller.signal).then(
      (value) => settle(() => ({ state: 'ready', value })),
      (error: unknown) => settle((last) => ({ state: 'failed', error, ...kept(last) })),
    );
    return () => controller.abort();
  }, [subject, revision, attempt]);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  // Between a change of subject and its effect, the old value is not the new subject's.
  const loading: Loading<T> = loaded.subject === subject ? loaded.loading : { state: 'loading' };
  return { ...loading, reload };
}
