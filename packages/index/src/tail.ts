import { compareUtf8 } from '@lookalike/store';
import { emptyBits, setBit } from './bits.ts';
import { scoreOf } from './code-scan.ts';
import { cosineDistance, dotAt, l1At, l2At } from './distance.ts';
import type { CollectionInfo, Metadata, Metric } from './engine.ts';
import type { Nearest } from './nearest.ts';
import { chunkRows, TailCodes } from './tail-codes.ts';

/** Of vectors in one piece, whatever their dimension. */
const vectorBytes = 2 ** 20;
/** Rows that a plain loop compares before their codes would have been scanned. */
const fewRows = 256;

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
  /** In chunks of so many rows, so that a tail grows without being copied. */
  readonly #vectorRows: number;
  readonly #chunks: Float32Array[] = [];
  /** Of the vectors; only under cosine. */
  squaredNorms: number[] = [];
  /** Rows of live ids. */
  readonly live = new Map<string, number>();
  #parsed: (Metadata | undefined)[] = [];
  #order: number[] | undefined;
  #codes: TailCodes | undefined;
  #codable = true;

  constructor(info: Pick<CollectionInfo, 'dimension' | 'metric'>) {
    this.dimension = info.dimension;
    this.metric = info.metric;
    this.#vectorRows = Math.ceil(vectorBytes / (4 * this.dimension));
  }

  /** In memory, roughly. */
  bytes = 0;

  get count(): number {
    return this.ids.length;
  }

  append(version: number, id: string, vectors: Float32Array, offset: number, metadata: string): void {
    const row = this.ids.length;
    this.#makeRoom(row);
    const vector = this.vector(row);
    vector.set(vectors.subarray(offset, offset + this.dimension));
    if (this.metric === 'cosine') this.squaredNorms.push(dotAt(vector, vector, 0));
    this.ids.push(id);
    this.metadata.push(metadata);
    this.versions.push(version);
    this.diedAt.push(0);
    this.live.set(id, row);
    this.bytes += this.dimension * 5 + id.length + metadata.length + 76;
  }

  #makeRoom(row: number): void {
    const at = Math.floor(row / this.#vectorRows);
    const chunk = this.#chunks[at] ?? new Float32Array(0);
    const rows = (row % this.#vectorRows) + 1;
    if (rows * this.dimension <= chunk.length) return;
    // A tail of few rows does not hold a whole chunk.
    const grownRows = at === 0 ? Math.min(this.#vectorRows, Math.max(2 * rows, 16)) : this.#vectorRows;
    const grown = new Float32Array(grownRows * this.dimension);
    grown.set(chunk);
    this.#chunks[at] = grown;
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
    const start = this.#offsetOf(row);
    return this.#chunkOf(row).subarray(start, start + this.dimension);
  }

  #chunkOf(row: number): Float32Array {
    return this.#chunks[Math.floor(row / this.#vectorRows)] as Float32Array;
  }

  #offsetOf(row: number): number {
    return (row % this.#vectorRows) * this.dimension;
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

  /** Offers the rows written after `since` that live at `version`; returns how many it looked at. */
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
    const first = this.firstAfter(since);
    const wanted = (row: number) =>
      this.isLive(row, version) && (filter === undefined || filter(this.parsedMetadata(row)));
    const squaredNorm = dotAt(query, query, 0);
    const offer = (row: number) => {
      const distance = this.#distance(query, squaredNorm, row);
      if (distance <= nearest.bound)
        nearest.offer({ distance, id: this.ids[row] as string, source: this, row });
    };
    const coded = this.count - first < fewRows ? undefined : this.#coded();
    let scanned = 0;
    if (coded === undefined) {
      for (let row = first; row < this.count; row++) {
        if (!wanted(row)) continue;
        scanned++;
        offer(row);
      }
      return scanned;
    }
    const mask = emptyBits(chunkRows);
    for (let chunk = Math.floor(first / chunkRows); chunk * chunkRows < this.count; chunk++) {
      const start = chunk * chunkRows;
      const end = Math.min(start + chunkRows, this.count);
      mask.fill(0);
      let any = false;
      for (let row = Math.max(first, start); row < end; row++)
        if (wanted(row)) {
          setBit(mask, row - start);
          any = true;
          scanned++;
        }
      if (!any) continue;
      const reach = () => scoreOf(this.metric, nearest.bound, squaredNorm);
      for (const { row, score, bound } of coded.search(chunk, query, mask, nearest.limit, reach()))
        if (score + bound >= reach()) offer(start + row);
    }
    return scanned;
  }

  #distance(query: Float32Array, squaredNorm: number, row: number): number {
    const vectors = this.#chunkOf(row);
    const offset = this.#offsetOf(row);
    switch (this.metric) {
      case 'cosine':
        return cosineDistance(dotAt(query, vectors, offset), squaredNorm, this.squaredNorms[row] as number);
      case 'l2':
        return l2At(query, vectors, offset);
      case 'l1':
        return l1At(query, vectors, offset);
    }
  }

  /** Codes of all rows; undefined where they say nothing certain of distances. */
  #coded(): TailCodes | undefined {
    // Codes are of l2 and cosine. A tail that nobody searches pays nothing for them.
    if (this.metric === 'l1') return undefined;
    this.#codes ??= new TailCodes(this.metric, this.dimension);
    while (this.#codable && this.#codes.count < this.count)
      this.#codable = this.#codes.append(this.vector(this.#codes.count));
    return this.#codable ? this.#codes : undefined;
  }
}
