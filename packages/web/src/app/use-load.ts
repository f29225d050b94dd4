import { useCallback, useEffect, useState } from 'preact/hooks';

export type Loading<T> =
  | { state: 'loading'; value?: T }
  | { state: 'ready'; value: T }
  | { state: 'failed'; error: unknown; value?: T };

/**
 * Runs `load` when `key` changes (not at all while it is undefined) and on `reload`; an answer that a newer request
 * has overtaken is dropped. While reloading the same key, the last value stays.
 */
export function useLoad<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
): Loading<T> & { reload: () => void } {
  const [attempt, setAttempt] = useState(0);
  const [loaded, setLoaded] = useState<{ key?: string | undefined; loading: Loading<T> }>({
    loading: { state: 'loading' },
  });
  useEffect(() => {
    if (key === undefined) return;
    const controller = new AbortController();
    setLoaded((before) => ({
      key,
      loading:
        before.key === key ? ({ ...before.loading, state: 'loading' } as Loading<T>) : { state: 'loading' },
    }));
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setLoaded({ key, loading: { state: 'ready', value } });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setLoaded({ key, loading: { state: 'failed', error } });
      },
    );
    return () => controller.abort();
  }, [key, attempt]);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  // Between a change of key and its effect, the old value is not the new key's.
  const loading: Loading<T> = loaded.key === key ? loaded.loading : { state: 'loading' };
  return { ...loading, reload };
}
