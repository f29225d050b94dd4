/**
 * Pictures a person dropped, kept in this browser (never sent anywhere but with a search), so that a reload or the
 * back button still has them. The oldest go when there are more than `capacity`.
 */
const capacity = 60;
/** Of one drop: more leave no room for what was dropped before. */
export const mostAtOnce = 24;

export interface KeptPicture {
  name: string;
  blob: Blob;
}

interface StoredPicture extends KeptPicture {
  id: string;
  keptAt: number;
}

/** Also what is left where the browser has no IndexedDB (some private windows): then a reload forgets. */
const memory = new Map<string, StoredPicture>();

export async function keepPicture(file: Blob, name: string): Promise<string> {
  const picture: StoredPicture = { id: newId(), name, blob: file, keptAt: Date.now() };
  memory.set(picture.id, picture);
  await inStore('readwrite', async (store) => {
    await settled(store.put(picture));
    const ids = (await settled(store.index('keptAt').getAllKeys())) as string[];
    for (const id of ids.slice(0, Math.max(0, ids.length - capacity))) store.delete(id);
  }).catch(() => undefined);
  for (const id of [...memory.keys()].slice(0, -capacity)) memory.delete(id);
  return picture.id;
}

export async function findKeptPicture(id: string): Promise<KeptPicture | undefined> {
  const remembered = memory.get(id);
  if (remembered) return remembered;
  return inStore('readonly', (store) => settled<KeptPicture | undefined>(store.get(id))).catch(
    () => undefined,
  );
}

// `crypto.randomUUID` is missing where a page is served without TLS from another machine.
const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36).padStart(2, '0')).join(
    '',
  );

let database: Promise<IDBDatabase> | undefined;

async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open('lookalike', 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('pictures', { keyPath: 'id' }).createIndex('keptAt', 'keptAt');
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  return work((await database).transaction('pictures', mode).objectStore('pictures'));
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
