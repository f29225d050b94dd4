import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ChosenFile } from './picture-files.ts';
import type { Collection, Model } from './server.ts';

/** What every view may need and no view owns. */
export interface AppState {
  models: Model[];
  defaultModel: string;
  collections: Collection[];
  /** The one chosen in the URL, or the only sensible one. */
  collection: Collection | undefined;
  reloadCollections: () => void;
  /** Grows when this page has written to a collection: a key for whatever shows its items. */
  writes: number;
  /** To be called when something was written other than by `ingest`. */
  noteWrite: () => void;
  /** Sends pictures to a collection (made first where it is missing) and shows how it goes. */
  ingest: (collection: string, files: ChosenFile[]) => void;
  ingesting: boolean;
}

export const AppContext = createContext<AppState | undefined>(undefined);

export function useApp(): AppState {
  const app = useContext(AppContext);
  if (!app) throw new Error('useApp needs an AppContext');
  return app;
}

/** The encoder a collection is bound to, where the server still has it. */
export const modelOf = (app: AppState, collection: Collection | undefined): Model | undefined =>
  app.models.find((model) => model.hash === collection?.encoder?.hash);
