import type { AnswerTraffic } from './answer-traffic.ts';
import { CodeFile } from './code-file.ts';
import { CodeBuilder } from './codes.ts';
import { type Meter, newMeter } from './meter.ts';
import { fetchObject, isDamage } from './object-fetch.ts';
import type { SegmentPlace } from './segment-place.ts';
import type { SegmentRows } from './segment-rows.ts';

/** The codes of a segment, for flat searches: in memory while that allows. */
export class SegmentCodes {
  readonly #place: SegmentPlace;
  readonly #rows: SegmentRows;
  readonly #traffic: AnswerTraffic;
  #codes: CodeFile | undefined;
  #loading: Promise<CodeFile | undefined> | undefined;
  /** The vectors cannot be coded (see codes.ts): only exact scans. */
  #unusable = false;
  #coarse: CodeFile | undefined;
  #coarseLoading: Promise<CodeFile | undefined> | undefined;
  #coarseFailed = false;

  constructor(place: SegmentPlace, rows: SegmentRows, traffic: AnswerTraffic) {
    this.#place = place;
    this.#rows = rows;
    this.#traffic = traffic;
  }

  /** The int8 codes, or undefined where the vectors cannot be coded. */
  async fine(meter: Meter): Promise<CodeFile | undefined> {
    if (this.#codes !== undefined) {
      this.#place.space.budget.touch(this.#codes);
      return this.#codes;
    }
    if (this.#unusable) return undefined;
    return this.#traffic.run(() => this.#load(meter));
  }

  /**
   * What an answer that need not be proven can have sooner: the coarse codes, half the bytes, where the segment has them and
   * the others are not in memory. Those then come for the next ones, where they fit.
   */
  async coarse(meter: Meter): Promise<CodeFile | undefined> {
    const { descriptor, space } = this.#place;
    if (descriptor.files.coarse === undefined || this.#coarseFailed) return undefined;
    if (this.#codes !== undefined || this.#unusable) return undefined;
    if (this.#coarse === undefined) {
      // They are half way here.
      if (this.#loading !== undefined) return undefined;
      this.#coarseLoading ??= this.#traffic
        .run(() => this.#loadCoarse(meter))
        .finally(() => {
          this.#coarseLoading = undefined;
        });
      return this.#coarseLoading;
    }
    space.budget.touch(this.#coarse);
    return this.#coarse;
  }

  /** CRC-32 of the bytes of a row's vector, where codes of either kind are in memory. */
  check(row: number): number | undefined {
    return (this.#codes ?? this.#coarse)?.check(row);
  }

  #load(meter: Meter): Promise<CodeFile | undefined> {
    this.#loading ??= this.#fetch(meter).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #fetch(meter: Meter): Promise<CodeFile | undefined> {
    const { descriptor, info, space } = this.#place;
    const file = descriptor.files.codes;
    const key = this.#place.key('codes');
    let codes = new CodeFile('int8', descriptor.rows, info.dimension, file.length);
    try {
      await fetchObject(space.store, key, file, meter, codes.bytes);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const bytes = await this.#rebuild(meter);
      codes = new CodeFile('int8', descriptor.rows, info.dimension, bytes.length);
      codes.bytes.set(bytes);
    }
    if (!codes.open(key)) {
      this.#unusable = true;
      return undefined;
    }
    this.#codes = codes;
    space.budget.hold(codes, codes.size, () => {
      this.#codes = undefined;
    });
    this.#dropCoarse();
    return codes;
  }

  /** The codes as they were: of the rows. */
  async #rebuild(meter: Meter): Promise<Uint8Array> {
    const { descriptor, info } = this.#place;
    const { metric, dimension } = info;
    const builder = new CodeBuilder(metric, dimension, descriptor.rows);
    for await (const { vectors, rows } of this.#rows.vectorBlocks(meter))
      for (let i = 0; i < rows; i++) builder.add(vectors.subarray(i * dimension, (i + 1) * dimension));
    return builder.encode();
  }

  async #loadCoarse(meter: Meter): Promise<CodeFile | undefined> {
    const { descriptor, info, space } = this.#place;
    const file = descriptor.files.coarse as NonNullable<typeof descriptor.files.coarse>;
    const key = this.#place.key('coarse');
    const coarse = new CodeFile('int4', descriptor.rows, info.dimension, file.length);
    try {
      await fetchObject(space.store, key, file, meter, coarse.bytes);
      coarse.open(key);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#coarseFailed = true;
      return undefined;
    }
    this.#coarse = coarse;
    space.budget.hold(coarse, coarse.size, () => {
      this.#coarse = undefined;
    });
    if (descriptor.files.codes.length <= space.budget.limit / 2)
      this.#traffic
        .quiet()
        .then(() => this.#load(newMeter()))
        // Whoever needs them asks again.
        .catch(() => undefined);
    return coarse;
  }

  #dropCoarse(): void {
    if (this.#coarse !== undefined) this.#place.space.budget.drop(this.#coarse);
    this.#coarse = undefined;
  }

  release(): void {
    if (this.#codes !== undefined) this.#place.space.budget.drop(this.#codes);
    this.#codes = undefined;
    this.#dropCoarse();
  }
}
