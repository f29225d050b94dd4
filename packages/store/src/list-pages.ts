import type { ObjectInfo, ObjectStore } from './object-store.ts';

/**
 * All objects under a prefix, in the order of their keys, as the store lists them: a page at a time. Each page begins behind the last
 * key of the one before, so that those of a page may be deleted before the next.
 */
export async function* listPages(
  store: Pick<ObjectStore, 'list'>,
  prefix: string,
): AsyncGenerator<readonly ObjectInfo[]> {
  let startAfter: string | undefined;
  do {
    const { objects, truncated } = await store.list(prefix, startAfter === undefined ? {} : { startAfter });
    yield objects;
    startAfter = truncated ? objects.at(-1)?.key : undefined;
  } while (startAfter !== undefined);
}
