/**
 * An order-independent hash of a set of (id, version): the sum, modulo 2^32 in each of two halves, of a 64-bit hash of
 * every member. Members are added and removed at constant cost, so `verify` can prove that nothing was lost or came back.
 */
export class LiveHash {
  #low = 0;
  #high = 0;

  add(id: string, version: number): void {
    const { low, high } = hash(id, version);
    this.#low = (this.#low + low) >>> 0;
    this.#high = (this.#high + high) >>> 0;
  }

  remove(id: string, version: number): void {
    const { low, high } = hash(id, version);
    this.#low = (this.#low - low) >>> 0;
    this.#high = (this.#high - high) >>> 0;
  }

  copy(): LiveHash {
    const copy = new LiveHash();
    copy.#low = this.#low;
    copy.#high = this.#high;
    return copy;
  }

  /** 16 hex digits. */
  toString(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }

  static parse(text: string): LiveHash {
    const parsed = new LiveHash();
    parsed.#high = Number.parseInt(text.slice(0, 8), 16);
    parsed.#low = Number.parseInt(text.slice(8), 16);
    return parsed;
  }
}

/** Two murmur3-like passes with different seeds over the UTF-16 units of the id and the version. */
function hash(id: string, version: number): { low: number; high: number } {
  let low = 0x9747b28c ^ id.length;
  let high = 0x3c6ef372 ^ id.length;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    low = mix(low, unit);
    high = mix(high, unit + 0x9e3779b9);
  }
  low = mix(mix(low, version >>> 0), Math.floor(version / 2 ** 32));
  high = mix(mix(high, version >>> 0), Math.floor(version / 2 ** 32));
  return { low: finish(low), high: finish(high) };
}

function mix(state: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = state ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(state: number): number {
  let h = state;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
