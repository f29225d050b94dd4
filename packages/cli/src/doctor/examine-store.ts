import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createApp } from '@lookalike/api';
import { LookalikeClient } from '@lookalike/client';
import { openEngine } from '@lookalike/index';
import { checkStore, type ObjectStore, openFolderStore } from '@lookalike/store';
import { byteSize } from '../byte-size.ts';
import { isFolder, openBucketForReading } from '../open-store.ts';
import { serveEncoders } from '../serve-encoders.ts';
import { segmentCacheFolder } from '../user-folders.ts';
import { clockOutcome, type Examination, failed, ok, spread, timed, warning } from './examination.ts';
import { examineApi } from './examine-api.ts';

/** Free bytes from which on somebody should look at a disk. */
const littleSpace = 2 ** 30;

/** Looks at a data folder or bucket itself, then at the collections in it. `false` where it cannot be opened. */
export async function examineStore(
  examination: Examination,
  location: string,
  { readOnly }: { readOnly: boolean },
): Promise<boolean> {
  let store: ObjectStore | undefined;
  const opened = await examination.check('store', async () => {
    if (isFolder(location)) {
      // Opening makes a folder that is not there: a mistyped name would be found well.
      if (!existsSync(location)) return failed(`there is no folder ${resolve(location)}`);
      store = await openFolderStore(location);
    } else store = await openBucketForReading(location);
    const { objects } = await store.list('collections/', { limit: 1 });
    return ok(`${store.description}${objects.length === 0 ? ', no collections yet' : ''}`);
  });
  if (opened === 'failed' || store === undefined) return false;
  const { list, put, get, remove } = probe(store);
  if (!readOnly) {
    const safe = await examination.check('preconditions', async () => {
      await checkStore(store as ObjectStore);
      return ok('of writers that create one key at once, one wins');
    });
    if (safe === 'failed') return true;
    try {
      await examination.check('store latency', async () => {
        const writes = await timed(5, put);
        const reads = await timed(5, get);
        const lists = await timed(5, list);
        return ok(`write ${spread(writes)}; read ${spread(reads)}; list ${spread(lists)}`);
      });
      if (!isFolder(location))
        await examination.check('clock', async () => {
          const before = Date.now();
          await put();
          const written = (await list())?.lastModified.getTime() ?? Number.NaN;
          if (Number.isNaN(written)) return failed('what was written is not listed');
          return clockOutcome(written + 500 - (before + Date.now()) / 2, 'the store');
        });
    } finally {
      await remove().catch(() => undefined);
    }
  }
  if (isFolder(location))
    await examination.check('space', async () => {
      const { bavail, bsize } = await statfs(location);
      const free = bavail * bsize;
      return free < littleSpace ? warning(`only ${byteSize(free)} free`) : ok(`${byteSize(free)} free`);
    });
  const engine = openEngine({ store, maintenance: false, cacheFolder: segmentCacheFolder() });
  const { encoders } = await serveEncoders(undefined);
  try {
    const app = createApp({ engine, objects: store, encoders, access: { kind: 'upstream' } });
    const fetch = async (url: string | URL | Request, init?: RequestInit) =>
      app.fetch(new Request(url, init));
    const client = new LookalikeClient('http://localhost', { fetch });
    await examineApi({ client, examination, readOnly, needsUploads: false });
  } finally {
    await engine.close();
    await encoders.close();
  }
  return true;
}

/** A small object of its own to measure with. */
function probe(store: ObjectStore) {
  const key = `lookalike-check/${randomUUID()}`;
  return {
    put: () => store.put(key, new Uint8Array(1024)),
    get: () => store.get(key),
    list: async () => (await store.list(key, { limit: 1 })).objects[0],
    remove: () => store.delete([key]),
  };
}
