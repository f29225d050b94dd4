/** Sets of row numbers: one bit a row, lowest first. */
export type Bits = Uint8Array;

export function emptyBits(count: number): Bits {
  return new Uint8Array(Math.ceil(count / 8));
}

/** Bits 0 to `count`. */
export function allBits(count: number): Bits {
  const bits = emptyBits(count).fill(0xff);
  if (count % 8 !== 0) bits[bits.length - 1] = (1 << (count % 8)) - 1;
  return bits;
}

export function hasBit(bits: Bits, row: number): boolean {
  return (((bits[row >> 3] as number) >> (row & 7)) & 1) === 1;
}

export function setBit(bits: Bits, row: number): void {
  bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
}

const bitsOfByte = new Uint8Array(256);
for (let byte = 1; byte < 256; byte++) bitsOfByte[byte] = (byte & 1) + (bitsOfByte[byte >> 1] as number);

export function countBits(bits: Bits): number {
  let count = 0;
  for (const byte of bits) count += bitsOfByte[byte] as number;
  return count;
}

/** Those of `a` that are not in `b`. */
export function without(a: Bits, b: Bits): Bits {
  const result = a.slice();
  for (let i = 0; i < result.length; i++) result[i] = (result[i] as number) & ~(b[i] as number);
  return result;
}

export function* rowsOf(bits: Bits): Generator<number> {
  for (let at = 0; at < bits.length; at++) {
    let byte = bits[at] as number;
    for (let row = at * 8; byte !== 0; row++, byte >>= 1) if ((byte & 1) === 1) yield row;
  }
}
