import { createHash } from 'node:crypto';
import { listPages, type ObjectStore } from '@lookalike/store';

/** A verdict is an object of its own, so that writers never overwrite each other's; all of it is in its name. */
function keyOf(collection: string, a: string, b: string): string {
  return `collections/${collection}/verdicts/${nameOf(a, b)}`;
}

/** The same for both orders. Hashed, as content hashes of items without a picture may be any text. */
function nameOf(a: string, b: string): string {
  const [first, second] = a < b ? [a, b] : [b, a];
  return createHash('sha256')
    .update(JSON.stringify([first, second]))
    .digest('hex');
}

/** Remembers, or forgets, that two pictures (by content hash) are different. */
export async function writeVerdicts(
  objects: ObjectStore,
  collection: string,
  pairs: readonly (readonly [string, string])[],
  different: boolean,
): Promise<void> {
  const keys = pairs.map(([a, b]) => keyOf(collection, a, b));
  if (!different) await objects.delete(keys);
  else for (const key of keys) await objects.put(key, new Uint8Array());
}

/** Whether two pictures were said to be different; `undefined` where no verdict was ever given. */
export async function readVerdicts(
  objects: ObjectStore,
  collection: string,
): Promise<((contentHashA: string, contentHashB: string) => boolean) | undefined> {
  const prefix = `collections/${collection}/verdicts/`;
  const names = new Set<string>();
  for await (const page of listPages(objects, prefix))
    for (const { key } of page) names.add(key.slice(prefix.length));
  return names.size === 0 ? undefined : (a, b) => names.has(nameOf(a, b));
}
