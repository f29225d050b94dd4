import { distance, similarity } from './distance.ts';
import type { Match } from './engine.ts';
import type { HeadState } from './head.ts';
import type { CheckedItem } from './input-check.ts';
import { Nearest } from './nearest.ts';
import type { Staging } from './staging.ts';
import type { Tail } from './tail.ts';

/**
 * `unlessSimilar` of one call. What was found stays true of the version it was found at, so that after a lost race only
 * the rows of the new commits are searched.
 */
export class UniqueUpsert {
  readonly #minSimilarity: number;
  readonly #known = new Map<CheckedItem, { version: number; match: Match | undefined }>();

  constructor(minSimilarity: number) {
    this.#minSimilarity = minSimilarity;
  }

  /** The nearest of the rows and of the changes staged before it that is similar enough, if any is. */
  async findSimilar(
    item: CheckedItem,
    state: Readonly<HeadState>,
    staging: Staging,
  ): Promise<Match | undefined> {
    const { tail, version, info } = state;
    const known = this.#known.get(item);
    const since = known !== undefined && known.match === undefined ? known.version : 0;
    const nearest = new Nearest<Tail>({
      metric: info.metric,
      limit: 1 + staging.changes.size,
      minSimilarity: this.#minSimilarity,
    });
    tail.search(item.vector, nearest, { version, since });
    const stored = nearest.sorted().map(({ id, distance, row }) => ({
      id,
      distance,
      similarity: similarity(info.metric, distance),
      metadata: JSON.parse(tail.metadata[row] as string),
    }));
    this.#known.set(item, { version, match: stored[0] });
    let best: Match | undefined = stored.find((match) => !staging.changes.has(match.id));
    for (const other of staging.changes.values()) {
      if (other === undefined) continue;
      const apart = distance(info.metric, item.vector, other.vector);
      const alike = similarity(info.metric, apart);
      if (alike < this.#minSimilarity || (best !== undefined && best.distance <= apart)) continue;
      best = { id: other.id, distance: apart, similarity: alike, metadata: JSON.parse(other.metadataText) };
    }
    return best;
  }
}
