import { type ObjectStore, openFolderStore } from '@lookalike/store';

/** The data folder that commands use where none is named. */
export const DEFAULT_DATA = './lookalike-data';

/** Opens what `--data` names. */
export async function openStore(location: string): Promise<ObjectStore> {
  return openFolderStore(location);
}
