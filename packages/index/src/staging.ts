import type { WriteBatch } from './commit.ts';
import type { PendingWrite } from './group-commit.ts';
import type { HeadState } from './head-state.ts';
import type { CheckedItem } from './input-check.ts';

/** What the calls of one commit change, call after call; the last change of an id counts. */
export class Staging {
  /** `undefined`: deleted. */
  readonly changes = new Map<string, CheckedItem | undefined>();

  upsert(item: CheckedItem): void {
    this.changes.delete(item.id);
    this.changes.set(item.id, item);
  }

  delete(id: string): void {
    this.changes.set(id, undefined);
  }

  batch(dimension: number): WriteBatch {
    const items = [...this.changes.values()].filter((item) => item !== undefined);
    const vectors = new Float32Array(items.length * dimension);
    for (const [i, item] of items.entries()) vectors.set(item.vector, i * dimension);
    return {
      ids: items.map((item) => item.id),
      vectors,
      metadata: items.map((item) => item.metadataText),
      deletes: [...this.changes].flatMap(([id, item]) => (item === undefined ? [id] : [])),
    };
  }
}

/** The calls of one commit, applied to a state in order. */
export async function stage(
  state: HeadState,
  writes: readonly PendingWrite[],
): Promise<{ batch: WriteBatch; results: unknown[] }> {
  const staging = new Staging();
  const results: unknown[] = [];
  for (const write of writes) results.push(await write.stage(state, staging));
  return { batch: staging.batch(state.info.dimension), results };
}
