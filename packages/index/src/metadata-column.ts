import { type Bits, emptyBits, setBit } from './bits.ts';
import type { JsonValue } from './engine.ts';
import type { ValueTest } from './filter-match.ts';

/** Lists and objects all count as this one value: there, and equal to nothing. */
const composite: JsonValue = [];

/** The values of one metadata field of a segment's rows, each distinct value once. */
export class MetadataColumn {
  readonly #codes: Uint32Array;
  /** Code 0: no value. */
  readonly #values: (JsonValue | undefined)[] = [undefined];
  #known: Map<JsonValue | undefined, number> | undefined = new Map([[undefined, 0]]);

  constructor(rows: number) {
    this.#codes = new Uint32Array(rows);
  }

  /** Rows left out have no value. */
  set(row: number, value: JsonValue | undefined): void {
    const known = this.#known;
    if (known === undefined) throw new Error('column is sealed');
    const counted = typeof value === 'object' && value !== null ? composite : value;
    let code = known.get(counted);
    if (code === undefined) {
      code = this.#values.push(counted) - 1;
      known.set(counted, code);
    }
    this.#codes[row] = code;
  }

  /** No more values. */
  seal(): void {
    this.#known = undefined;
  }

  /** In memory, roughly. */
  get bytes(): number {
    const text = this.#values.reduce<number>(
      (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
      0,
    );
    return this.#codes.byteLength + this.#values.length * 24 + text;
  }

  /** The rows whose value passes. */
  select(test: ValueTest): Bits {
    const passes = Uint8Array.from(this.#values, (value) => (test(value) ? 1 : 0));
    const rows = emptyBits(this.#codes.length);
    for (let row = 0; row < this.#codes.length; row++)
      if (passes[this.#codes[row] as number] === 1) setBit(rows, row);
    return rows;
  }
}
