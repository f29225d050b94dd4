import type { WriteBatch } from './commit.ts';
import type { PendingWrite } from './group-commit.ts';
import type { HeadState } from './head-state.ts';
import type { CheckedItem } from './input-check.ts';

interface Replaced {
  id: string;
  wasChanged: boolean;
  change: CheckedItem | undefined;
}

/** What the calls of one commit change, call after call; the last change of an id counts. */
export class Staging {
  readonly #changes = new Map<string, CheckedItem | undefined>();
  /** By the call under way. */
  #replaced: Replaced[] = [];

  /** `undefined`: deleted. */
  get changes(): ReadonlyMap<string, CheckedItem | undefined> {
    return this.#changes;
  }

  upsert(item: CheckedItem): void {
    this.#note(item.id);
    this.#changes.delete(item.id);
    this.#changes.set(item.id, item);
  }

  delete(id: string): void {
    this.#note(id);
    this.#changes.set(id, undefined);
  }

  #note(id: string): void {
    this.#replaced.push({ id, wasChanged: this.#changes.has(id), change: this.#changes.get(id) });
  }

  /** Changes made until now stay. */
  keep(): void {
    this.#replaced = [];
  }

  /** Takes the changes since `keep` back. */
  undo(): void {
    for (const { id, wasChanged, change } of this.#replaced.reverse())
      if (wasChanged) this.#changes.set(id, change);
      else this.#changes.delete(id);
    this.keep();
  }

  batch(dimension: number): WriteBatch {
    const items = [...this.#changes.values()].filter((item) => item !== undefined);
    const vectors = new Float32Array(items.length * dimension);
    for (const [i, item] of items.entries()) vectors.set(item.vector, i * dimension);
    return {
      ids: items.map((item) => item.id),
      vectors,
      metadata: items.map((item) => item.metadataText),
      deletes: [...this.#changes].flatMap(([id, item]) => (item === undefined ? [id] : [])),
    };
  }
}

/** What became of a call. */
export type Outcome = { result: unknown } | { error: unknown };

/** The calls of one commit, applied to a state in order. One that fails changes nothing, and no other call's outcome. */
export async function stage(
  state: HeadState,
  writes: readonly PendingWrite[],
): Promise<{ batch: WriteBatch; outcomes: Outcome[] }> {
  const staging = new Staging();
  const outcomes: Outcome[] = [];
  for (const write of writes) {
    try {
      outcomes.push({ result: await write.stage(state, staging) });
      staging.keep();
    } catch (error) {
      outcomes.push({ error });
      staging.undo();
    }
  }
  return { batch: staging.batch(state.info.dimension), outcomes };
}
