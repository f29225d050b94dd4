/**
 * Pairs of rows of a table with their similarity, as parallel columns: pair `p` is `(left[p], right[p])` with
 * `left[p] < right[p]`. Columns and not objects, because a burst of nearly equal pictures makes millions of pairs.
 */
export interface SimilarPairs {
  left: Uint32Array;
  right: Uint32Array;
  /** In [0, 1]. */
  similarity: Float32Array;
}

/** Collects pairs into columns that grow. */
export class PairCollector {
  #left = new Uint32Array(1024);
  #right = new Uint32Array(1024);
  #similarity = new Float32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(a: number, b: number, similarity: number): void {
    if (this.#length === this.#left.length) this.#grow();
    this.#left[this.#length] = Math.min(a, b);
    this.#right[this.#length] = Math.max(a, b);
    this.#similarity[this.#length] = Math.min(1, similarity);
    this.#length++;
  }

  pairs(): SimilarPairs {
    return {
      left: this.#left.slice(0, this.#length),
      right: this.#right.slice(0, this.#length),
      similarity: this.#similarity.slice(0, this.#length),
    };
  }

  #grow(): void {
    const capacity = this.#left.length * 2;
    const left = new Uint32Array(capacity);
    left.set(this.#left);
    this.#left = left;
    const right = new Uint32Array(capacity);
    right.set(this.#right);
    this.#right = right;
    const similarity = new Float32Array(capacity);
    similarity.set(this.#similarity);
    this.#similarity = similarity;
  }
}

/** All of them, one list after the other. */
export function concatPairs(...lists: readonly SimilarPairs[]): SimilarPairs {
  const length = lists.reduce((sum, { left }) => sum + left.length, 0);
  const all = {
    left: new Uint32Array(length),
    right: new Uint32Array(length),
    similarity: new Float32Array(length),
  };
  let at = 0;
  for (const { left, right, similarity } of lists) {
    all.left.set(left, at);
    all.right.set(right, at);
    all.similarity.set(similarity, at);
    at += left.length;
  }
  return all;
}

/** Each pair once, with the best of its similarities. Ascending by `left`, then `right`. */
export function bestOfPairs({ left, right, similarity }: SimilarPairs): SimilarPairs {
  const at = (column: Uint32Array | Float32Array, pair: number) => column[pair] as number;
  const order = Uint32Array.from(left.keys()).sort(
    (a, b) =>
      at(left, a) - at(left, b) || at(right, a) - at(right, b) || at(similarity, b) - at(similarity, a),
  );
  const best = order.filter((pair, position) => {
    const before = order[position - 1];
    return before === undefined || left[before] !== left[pair] || right[before] !== right[pair];
  });
  return {
    left: best.map((pair) => at(left, pair)),
    right: best.map((pair) => at(right, pair)),
    similarity: Float32Array.from(best, (pair) => at(similarity, pair)),
  };
}

/** The pairs under other names; those of a row that has none, or with itself, are left out. */
export function renamePairs(pairs: SimilarPairs, nameOf: (row: number) => number | undefined): SimilarPairs {
  const renamed = new PairCollector();
  for (let pair = 0; pair < pairs.left.length; pair++) {
    const a = nameOf(pairs.left[pair] as number);
    const b = nameOf(pairs.right[pair] as number);
    if (a !== undefined && b !== undefined && a !== b) renamed.add(a, b, pairs.similarity[pair] as number);
  }
  return renamed.pairs();
}
