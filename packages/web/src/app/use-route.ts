import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { formatRoute, parseRoute, type Route } from './route.ts';

export interface Navigation {
  route: Route;
  /** A new entry of the history. */
  go(route: Route): void;
  /** The same entry, for settings such as a slider. */
  adjust(change: { [K in keyof Route]?: Route[K] | undefined }): void;
}

export const NavigationContext = createContext<Navigation | undefined>(undefined);

export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext);
  if (!navigation) throw new Error('useNavigation needs a NavigationContext');
  return navigation;
}

/** For the root: the route in the URL's hash and how to change it. */
export function useHashRoute(): Navigation {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const current = useRef(route);
  const show = (next: Route) => {
    current.current = next;
    setRoute(next);
  };
  useEffect(() => {
    const read = () => show(parseRoute(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return {
    route,
    go(next) {
      location.hash = formatRoute(next);
    },
    adjust(change) {
      const next = parseRoute(formatRoute({ ...current.current, ...change } as Route));
      show(next);
      try {
        history.replaceState(null, '', formatRoute(next));
      } catch {
        // Safari allows a hundred in half a minute, a slider asks for more: the address follows with a later one.
      }
    },
  };
}
