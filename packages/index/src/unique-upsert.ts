import { distance, similarity } from './distance.ts';
import type { Match } from './engine.ts';
import type { HeadState } from './head-state.ts';
import type { CheckedItem } from './input-check.ts';
import { newMeter } from './meter.ts';
import { Nearest } from './nearest.ts';
import { readRows } from './rows.ts';
import { type Source, search } from './search.ts';
import type { Staging } from './staging.ts';

/**
 * `unlessSimilar` of one call. What was found stays true of the version it was found at, so that after a lost race only
 * the rows of the new commits are searched.
 */
export class UniqueUpsert {
  readonly #minSimilarity: number;
  /** Items that nothing was similar to, up to a version. */
  readonly #aloneAt = new Map<CheckedItem, number>();

  constructor(minSimilarity: number) {
    this.#minSimilarity = minSimilarity;
  }

  /**
   * The nearest of the rows and of the changes staged before it that is similar enough, if any is. What has the item's own id is not
   * asked: it would be replaced. So an item can be changed, and a write whose answer was lost can be repeated.
   */
  async findSimilar(item: CheckedItem, state: HeadState, staging: Staging): Promise<Match | undefined> {
    const { metric } = state.info;
    const nearest = new Nearest<Source>({
      metric,
      // Those that this very commit replaces or deletes may be among them, and the item's earlier self.
      limit: 2 + staging.changes.size,
      minSimilarity: this.#minSimilarity,
    });
    const since = this.#aloneAt.get(item) ?? 0;
    await search(state, { vector: item.vector, nearest, since, exact: true }, newMeter());
    const stored = nearest.sorted().filter(({ id }) => id !== item.id);
    if (stored.length === 0) this.#aloneAt.set(item, state.version);
    let best: Match | undefined;
    const candidate = stored.find(({ id }) => !staging.changes.has(id));
    if (candidate !== undefined) {
      const [content] = await readRows([candidate], { metadata: true, vector: false }, newMeter());
      best = {
        id: candidate.id,
        distance: candidate.distance,
        similarity: similarity(metric, candidate.distance),
        ...content,
      };
    }
    for (const other of staging.changes.values()) {
      if (other === undefined || other.id === item.id) continue;
      const apart = distance(metric, item.vector, other.vector);
      const alike = similarity(metric, apart);
      if (alike < this.#minSimilarity || (best !== undefined && best.distance <= apart)) continue;
      best = { id: other.id, distance: apart, similarity: alike, metadata: JSON.parse(other.metadataText) };
    }
    return best;
  }
}
