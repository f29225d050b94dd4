import { useCallback } from 'preact/hooks';
import { useNavigation } from './use-route.ts';

/** Whether this page opened what is enlarged, so that closing it is going back. */
let opened = false;

export interface Look {
  /** The item that is enlarged. */
  id: string | undefined;
  /** A step of the history, so that the back button of a phone closes it; from one to the next is none. */
  open: (id: string) => void;
  close: () => void;
}

export function useLook(): Look {
  const { route, go, adjust } = useNavigation();
  const open = useCallback(
    (id: string) => {
      if (route.look !== undefined) return adjust({ look: id });
      opened = true;
      go({ ...route, look: id });
    },
    [route, go, adjust],
  );
  const close = useCallback(() => {
    if (opened) history.back();
    else adjust({ look: undefined });
    opened = false;
  }, [adjust]);
  return { id: route.look, open, close };
}
