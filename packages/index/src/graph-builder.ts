import { statSync } from 'node:fs';
import { HierarchicalNSW, type HierarchicalNsw } from '@lookalike/hnsw';
import { LookalikeError } from '@lookalike/store';
import type { HnswParameters, Metric } from './engine.ts';
import { fileHeaderBytes, prepare, readHeader, spaceOf } from './graph.ts';

/** Makes the file of a graph; see graph.ts for what the library must be kept from. */
export class GraphBuilder {
  readonly #index: HierarchicalNsw;
  readonly #metric: Metric;
  readonly #capacity: number;
  readonly #point: number[];
  #count = 0;

  constructor(metric: Metric, dimension: number, capacity: number, { m, efConstruction }: HnswParameters) {
    if (!(capacity >= 1 && m >= 2 && efConstruction >= 1))
      throw new RangeError('graph parameters out of range');
    this.#metric = metric;
    this.#capacity = capacity;
    this.#point = new Array<number>(dimension).fill(0);
    this.#index = new HierarchicalNSW(spaceOf(metric), dimension);
    this.#index.initIndex({ maxElements: capacity, m, efConstruction, randomSeed: 100 });
  }

  add(vector: Float32Array): void {
    const point = prepare(this.#metric, vector, this.#point);
    if (this.#count >= this.#capacity) throw new RangeError('graph is full');
    this.#index.addPoint(point, this.#count++);
  }

  /** Throws `write-failed` where the file is not whole: the library reports success on a full disk. */
  write(path: string): void {
    this.#index.writeIndexSync(path);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const header = size > fileHeaderBytes ? readHeader(path) : undefined;
    if (header === undefined || header.count !== this.#count || size < header.leastBytes)
      throw new LookalikeError('write-failed', `the graph file ${path} is not whole: ${size} bytes`);
  }
}
