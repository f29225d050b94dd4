import type { Collection, Item, JsonValue, Metadata, StoredItem } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { PatchAnswer, PatchItems, PatchResult } from './schemas.ts';

/** Rounds in which items that others changed meanwhile are read and patched again. */
const attempts = 10;

type Patch = PatchItems['items'][number];

/** RFC 7396. Builds new objects from entries, so that a member named `__proto__` is a member and nothing else. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, mergePatch(members.get(name), value));
  }
  return Object.fromEntries(members);
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Patches the metadata of items, each as it is at the moment of the commit: the write is conditional on the version that was read, and
 * repeated where another came first. Throws `overloaded` where others are always faster.
 */
export async function patchItems(collection: Collection, patches: readonly Patch[]): Promise<PatchAnswer> {
  const seen = new Set<string>();
  for (const { id } of patches) {
    if (seen.has(id))
      throw new LookalikeError('invalid-request', `the id ${id} is patched twice in one request`);
    seen.add(id);
  }
  const results: (PatchResult | undefined)[] = patches.map(() => undefined);
  let version = 0;
  let open = patches.map((_, index) => index);
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === attempts) {
      throw new LookalikeError('overloaded', `the items were changed by others ${attempts} times in a row`);
    }
    const found = await collection.get(
      open.map((index) => (patches[index] as Patch).id),
      { include: ['metadata', 'vector'] },
    );
    const items: Item[] = [];
    const places: number[] = [];
    found.forEach((stored, position) => {
      const index = open[position] as number;
      const patch = patches[index] as Patch;
      const refusal = refusalOf(patch, stored);
      if (refusal !== undefined) results[index] = refusal;
      else {
        places.push(index);
        items.push(patched(collection, stored as StoredItem, patch));
      }
    });
    // Also without items: the answer names the version that the decision was made at.
    const written = await collection.upsert(items);
    version = Math.max(version, written.version);
    open = [];
    written.results.forEach((result, position) => {
      const index = places[position] as number;
      const { ifVersion } = patches[index] as Patch;
      if (result.status === 'stored') {
        results[index] = { id: result.id, status: 'stored', metadata: items[position]?.metadata ?? {} };
      } else if (result.status === 'invalid') results[index] = result;
      else if (result.status === 'conflict' && ifVersion !== undefined)
        results[index] = conflict(result.id, result.version);
      else open.push(index);
    });
  }
  return { version, results: results as PatchResult[] };
}

function refusalOf({ id, ifVersion }: Patch, stored: StoredItem | undefined): PatchResult | undefined {
  if (stored === undefined) return { id, status: 'missing' };
  return ifVersion !== undefined && ifVersion !== stored.version ? conflict(id, stored.version) : undefined;
}

function conflict(id: string, version: number | undefined): PatchResult {
  return { id, status: 'conflict', ...(version === undefined ? {} : { version }) };
}

/** Where pictures are ingested, `picture` is the server's, and what a patch has of it does not count. */
function patched({ info }: Collection, stored: StoredItem, { metadata }: Patch): Item {
  if (stored.vector === undefined) throw new Error('the engine gave no vector');
  const { picture: _, ...labels } = metadata;
  return {
    id: stored.id,
    vector: stored.vector,
    metadata: mergePatch(stored.metadata, info.encoder === undefined ? metadata : labels) as Metadata,
    ifVersion: stored.version,
  };
}
