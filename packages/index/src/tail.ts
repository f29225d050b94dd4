import { compareUtf8 } from '@lookalike/store';
import { cosineDistance, dotAt, l1At, l2At } from './distance.ts';
import type { CollectionInfo, Metadata, Metric } from './engine.ts';
import type { Nearest } from './nearest.ts';

/**
 * Rows in memory, searched exactly. Rows are only ever appended, in commit order, and die at a version; a reader of an
 * older version keeps its answer by comparing versions, whatever is appended meanwhile.
 */
export class Tail {
  readonly dimension: number;
  readonly metric: Metric;
  ids: string[] = [];
  metadata: string[] = [];
  versions: number[] = [];
  /** The version at which the row was deleted or replaced; 0 while it lives. */
  diedAt: number[] = [];
  vectors = new Float32Array(0);
  /** Of the vectors; only under cosine. */
  squaredNorms: number[] = [];
  /** Rows of live ids. */
  readonly live = new Map<string, number>();
  #parsed: (Metadata | undefined)[] = [];
  #order: number[] | undefined;

  constructor(info: Pick<CollectionInfo, 'dimension' | 'metric'>) {
    this.dimension = info.dimension;
    this.metric = info.metric;
  }

  /** In memory, roughly. */
  bytes = 0;

  get count(): number {
    return this.ids.length;
  }

  append(version: number, id: string, vectors: Float32Array, offset: number, metadata: string): void {
    const row = this.ids.length;
    const end = (row + 1) * this.dimension;
    if (end > this.vectors.length) {
      const grown = new Float32Array(Math.max(end, this.vectors.length * 2, 16 * this.dimension));
      grown.set(this.vectors);
      this.vectors = grown;
    }
    this.vectors.set(vectors.subarray(offset, offset + this.dimension), row * this.dimension);
    if (this.metric === 'cosine') {
      const vector = this.vector(row);
      this.squaredNorms.push(dotAt(vector, vector, 0));
    }
    this.ids.push(id);
    this.metadata.push(metadata);
    this.versions.push(version);
    this.diedAt.push(0);
    this.live.set(id, row);
    this.bytes += this.dimension * 4 + id.length + metadata.length + 64;
  }

  /** The version of the row that lived until now, if one did. */
  kill(id: string, version: number): number | undefined {
    const row = this.live.get(id);
    if (row === undefined) return undefined;
    this.live.delete(id);
    this.diedAt[row] = version;
    return this.versions[row];
  }

  isLive(row: number, version: number): boolean {
    const died = this.diedAt[row] as number;
    return (this.versions[row] as number) <= version && (died === 0 || died > version);
  }

  vector(row: number): Float32Array {
    return this.vectors.subarray(row * this.dimension, (row + 1) * this.dimension);
  }

  parsedMetadata(row: number): Metadata {
    this.#parsed[row] ??= JSON.parse(this.metadata[row] as string);
    return this.#parsed[row] as Metadata;
  }

  /** All rows, dead ones too, by id. */
  order(): readonly number[] {
    if (this.#order?.length !== this.count)
      this.#order = this.ids
        .map((_, row) => row)
        .sort((a, b) => compareUtf8(this.ids[a] as string, this.ids[b] as string));
    return this.#order;
  }

  /** All rows with ids after this one, dead ones too, by id. */
  *rowsAfter(after = ''): Generator<number> {
    const order = this.order();
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareUtf8(this.ids[order[middle] as number] as string, after) <= 0) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < order.length; i++) yield order[i] as number;
  }

  /** The first row written after `version`. */
  firstAfter(version: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.versions[middle] as number) <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Offers the rows written after `since` that live at `version`; returns how many distances it took. */
  search<Other>(
    query: Float32Array,
    nearest: Nearest<Tail | Other>,
    options: {
      version: number;
      since?: number;
      filter?: ((metadata: Metadata) => boolean) | undefined;
    },
  ): number {
    const { version, since = 0, filter } = options;
    const { metric, dimension, vectors } = this;
    const squaredNorm = metric === 'cosine' ? dotAt(query, query, 0) : 0;
    let scanned = 0;
    for (let row = this.firstAfter(since); row < this.count; row++) {
      if (!this.isLive(row, version)) continue;
      if (filter !== undefined && !filter(this.parsedMetadata(row))) continue;
      scanned++;
      const offset = row * dimension;
      const distance =
        metric === 'cosine'
          ? cosineDistance(dotAt(query, vectors, offset), squaredNorm, this.squaredNorms[row] as number)
          : metric === 'l2'
            ? l2At(query, vectors, offset)
            : l1At(query, vectors, offset);
      if (distance > nearest.bound) continue;
      nearest.offer({ distance, id: this.ids[row] as string, source: this, row });
    }
    return scanned;
  }
}
