import type { AnswerTraffic } from './answer-traffic.ts';
import { dotAt } from './distance.ts';
import { newMeter } from './meter.ts';
import { isDamage } from './object-fetch.ts';
import { RetryPause } from './retry-pause.ts';
import type { SegmentPlace } from './segment-place.ts';
import type { SegmentRows } from './segment-rows.ts';

/** The vectors of a segment, in the order of its rows. */
export interface VectorsInMemory {
  vectors: Float32Array;
  squaredNorms: Float64Array;
}

/** All vectors of a segment in memory, where they take no more than a quarter of it. */
export class ResidentVectors {
  readonly #place: SegmentPlace;
  readonly #rows: SegmentRows;
  readonly #traffic: AnswerTraffic;
  #resident: VectorsInMemory | undefined;
  #loading: Promise<void> | undefined;
  #damaged = false;
  readonly #pause = new RetryPause();

  constructor(place: SegmentPlace, rows: SegmentRows, traffic: AnswerTraffic) {
    this.#place = place;
    this.#rows = rows;
    this.#traffic = traffic;
  }

  /** Undefined where they are not in memory; then begins to load them, where they fit. */
  ifLoaded(): VectorsInMemory | undefined {
    const { budget } = this.#place.space;
    if (this.#resident !== undefined) {
      budget.touch(this.#resident);
      return this.#resident;
    }
    const { descriptor, info } = this.#place;
    const bytes = descriptor.rows * (info.dimension * 4 + 8);
    if (!this.#damaged && this.#pause.isOver && bytes <= budget.limit / 4) {
      this.#loading ??= this.#traffic
        .quiet()
        .then(() => this.#load(bytes))
        .then(() => this.#pause.succeeded())
        .catch((error) => {
          // What is wrong with the rows is said by whoever needs them.
          this.#damaged = isDamage(error);
          this.#pause.failed();
        })
        .finally(() => {
          this.#loading = undefined;
        });
    }
    return undefined;
  }

  /** Resolves when they are in memory, as far as they fit. */
  async load(): Promise<void> {
    this.ifLoaded();
    await this.#loading;
  }

  async #load(bytes: number): Promise<void> {
    const { descriptor, info, space } = this.#place;
    const { dimension } = info;
    const resident: VectorsInMemory = {
      vectors: new Float32Array(descriptor.rows * dimension),
      squaredNorms: new Float64Array(descriptor.rows),
    };
    for await (const { first, rows, vectors } of this.#rows.vectorBlocks(newMeter())) {
      resident.vectors.set(vectors, first * dimension);
      for (let i = 0; i < rows; i++) {
        const vector = vectors.subarray(i * dimension, (i + 1) * dimension);
        resident.squaredNorms[first + i] = dotAt(vector, vector, 0);
      }
    }
    this.#resident = resident;
    space.budget.hold(resident, bytes, () => {
      this.#resident = undefined;
    });
  }

  release(): void {
    if (this.#resident !== undefined) this.#place.space.budget.drop(this.#resident);
    this.#resident = undefined;
  }
}
