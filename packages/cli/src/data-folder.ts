import type { Administration, SearchEngine } from '@lookalike/index';
import type { ObjectStore } from '@lookalike/store';
import { Option } from 'commander';
import { DEFAULT_DATA, openExistingStore } from './open-store.ts';
import { segmentCacheFolder } from './user-folders.ts';

export interface DataOptions {
  data: string;
}

/** Where collections are kept, for the commands that work on the files themselves. */
export const dataOption = () =>
  new Option('-d, --data <folder or s3://…>', 'where collections are kept')
    .env('LOOKALIKE_DATA_DIR')
    .default(DEFAULT_DATA);

/** Runs `work` on the engine over the data folder, whether or not a server runs there too. */
export async function withEngine<T>(
  { data }: DataOptions,
  work: (engine: SearchEngine & Administration, objects: ObjectStore) => Promise<T>,
): Promise<T> {
  const { openEngine } = await import('@lookalike/index');
  const objects = await openExistingStore(data);
  const engine = openEngine({ store: objects, cacheFolder: segmentCacheFolder() });
  try {
    return await work(engine, objects);
  } finally {
    await engine.close();
  }
}
