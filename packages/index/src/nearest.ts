import { compareUtf8 } from '@lookalike/store';
import { distanceBound, similarity } from './distance.ts';
import type { Metric } from './engine.ts';

export interface Candidate<Source> {
  distance: number;
  id: string;
  source: Source;
  row: number;
}

/** Where a page of a range search ended. */
export interface Position {
  distance: number;
  id: string;
}

export interface Wanted {
  metric: Metric;
  /** How many. */
  limit: number;
  /** None less similar than this. */
  minSimilarity?: number | undefined;
  /** Only those behind this position. */
  after?: Position | undefined;
}

/** Keeps the nearest of the candidates offered, by distance, ties by id (a binary heap, worst on top). */
export class Nearest<Source> {
  readonly wanted: Wanted;
  readonly #maxDistance: number;
  readonly #heap: Candidate<Source>[] = [];

  constructor(wanted: Wanted) {
    this.wanted = wanted;
    this.#maxDistance = distanceBound(wanted.metric, wanted.minSimilarity ?? 0);
  }

  /** No candidate farther than this can enter; rounded outwards. */
  get bound(): number {
    return this.#heap.length < this.wanted.limit ? this.#maxDistance : (this.#heap[0] as Position).distance;
  }

  offer(candidate: Candidate<Source>): void {
    const { metric, limit, minSimilarity = 0, after } = this.wanted;
    if (minSimilarity > 0 && similarity(metric, candidate.distance) < minSimilarity) return;
    if (after !== undefined && compare(candidate, after) <= 0) return;
    const heap = this.#heap;
    if (heap.length < limit) {
      heap.push(candidate);
      this.#up(heap.length - 1);
    } else if (compare(candidate, heap[0] as Candidate<Source>) < 0) {
      heap[0] = candidate;
      this.#down(0);
    }
  }

  /** How many of the candidates offered could be kept at most; all of them in reach where there is a position. */
  get limit(): number {
    return this.wanted.after === undefined ? this.wanted.limit : Number.POSITIVE_INFINITY;
  }

  /** Nearest first. */
  sorted(): Candidate<Source>[] {
    return [...this.#heap].sort(compare);
  }

  #up(index: number): void {
    const heap = this.#heap;
    const moving = heap[index] as Candidate<Source>;
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (compare(heap[parent] as Candidate<Source>, moving) >= 0) break;
      heap[at] = heap[parent] as Candidate<Source>;
      at = parent;
    }
    heap[at] = moving;
  }

  #down(index: number): void {
    const heap = this.#heap;
    const moving = heap[index] as Candidate<Source>;
    let at = index;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (
        child + 1 < heap.length &&
        compare(heap[child + 1] as Candidate<Source>, heap[child] as Candidate<Source>) > 0
      )
        child++;
      if (compare(heap[child] as Candidate<Source>, moving) <= 0) break;
      heap[at] = heap[child] as Candidate<Source>;
      at = child;
    }
    heap[at] = moving;
  }
}

function compare(a: Position, b: Position): number {
  return a.distance - b.distance || compareUtf8(a.id, b.id);
}
