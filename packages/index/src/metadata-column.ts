import { type Bits, emptyBits, setBit } from './bits.ts';
import type { JsonValue } from './engine.ts';
import type { ValueTest } from './filter-match.ts';

/** Objects, and lists without a scalar, all count as this one value: there, and equal to nothing. */
const composite: JsonValue = [];

/** The values of one metadata field of a segment's rows, each distinct value once. */
export class MetadataColumn {
  readonly #codes: Uint32Array;
  /** Code 0: no value. */
  readonly #values: (JsonValue | undefined)[] = [undefined];
  #known: Map<JsonValue | undefined, number> | undefined = new Map([[undefined, 0]]);
  /** Of lists, by their JSON. */
  #knownLists = new Map<string, number>();

  constructor(rows: number) {
    this.#codes = new Uint32Array(rows);
  }

  /** Rows left out have no value. */
  set(row: number, value: JsonValue | undefined): void {
    if (this.#known === undefined) throw new Error('column is sealed');
    // What of a list no condition can meet is left out.
    const list = Array.isArray(value) ? [...new Set(value.filter((one) => !isComposite(one)))] : [];
    if (list.length > 0) this.#codes[row] = this.#codeOf(this.#knownLists, JSON.stringify(list), list);
    else {
      const counted = isComposite(value) ? composite : value;
      this.#codes[row] = this.#codeOf(this.#known, counted, counted);
    }
  }

  #codeOf<Key>(known: Map<Key, number>, key: Key, value: JsonValue | undefined): number {
    let code = known.get(key);
    if (code === undefined) {
      code = this.#values.push(value) - 1;
      known.set(key, code);
    }
    return code;
  }

  /** No more values. */
  seal(): void {
    this.#known = undefined;
    this.#knownLists.clear();
  }

  /** In memory, roughly. */
  get bytes(): number {
    let bytes = this.#codes.byteLength;
    for (const value of this.#values)
      for (const one of Array.isArray(value) ? [value.length, ...value] : [value])
        bytes += 24 + (typeof one === 'string' ? one.length : 0);
    return bytes;
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

function isComposite(value: JsonValue | undefined): boolean {
  return typeof value === 'object' && value !== null;
}
