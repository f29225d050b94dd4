import { LookalikeClient } from '@lookalike/client';

export type {
  Collection,
  CollectionStats,
  CompareAnswer,
  DuplicateGroup,
  DuplicateItem,
  DuplicatesJob,
  Item,
  Model,
  Picture,
  QueryAnswer,
  RecallReport,
} from '@lookalike/client';

const keyName = 'lookalike-key';

/** Kept for this tab only. */
export const savedKey = (): string | null => sessionStorage.getItem(keyName);

export function saveKey(key: string): void {
  if (key) sessionStorage.setItem(keyName, key);
  else sessionStorage.removeItem(keyName);
}

/** The server that the page came from, whatever path it is served under. */
export const server: LookalikeClient = new LookalikeClient(new URL('.', location.href.replace(/#.*/s, '')), {
  authorize: ({ headers }) => {
    const key = savedKey();
    if (key) headers.set('authorization', `Bearer ${key}`);
  },
});
