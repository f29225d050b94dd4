import type { GreyPixels } from './grey-pixels.ts';

const SIDE = 32;
const FREQUENCIES = 8;

/** cos((2x + 1) u pi / 2n) of the frequencies u = 1 to 8, [frequency][place]. */
const COSINES = Array.from({ length: FREQUENCIES }, (_, u) =>
  Float64Array.from({ length: SIDE }, (_, x) => Math.cos(((2 * x + 1) * (u + 1) * Math.PI) / (2 * SIDE))),
);

/**
 * pHash (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010): the 8 x 8 lowest frequencies
 * but the constant ones of the discrete cosine transform of 32 x 32 grey pixels, each against their median. 64 bits as 16
 * hex digits. Recompressed, resized, recoloured or blurred copies differ in a few bits, unrelated pictures in about 32.
 */
export function perceptualHash(grey: GreyPixels): string {
  const small = reduced(grey);
  const across = new Float64Array(SIDE * FREQUENCIES);
  for (let y = 0; y < SIDE; y++)
    for (let u = 0; u < FREQUENCIES; u++) {
      const line = COSINES[u] as Float64Array;
      let sum = 0;
      for (let x = 0; x < SIDE; x++) sum += (line[x] as number) * (small[y * SIDE + x] as number);
      across[y * FREQUENCIES + u] = sum;
    }
  const low = new Float64Array(FREQUENCIES * FREQUENCIES);
  for (let v = 0; v < FREQUENCIES; v++)
    for (let u = 0; u < FREQUENCIES; u++) {
      const line = COSINES[v] as Float64Array;
      let sum = 0;
      for (let y = 0; y < SIDE; y++) sum += (line[y] as number) * (across[y * FREQUENCIES + u] as number);
      low[v * FREQUENCIES + u] = sum;
    }
  const sorted = low.toSorted();
  const median = ((sorted[31] as number) + (sorted[32] as number)) / 2;
  let hash = '';
  for (let digit = 0; digit < 16; digit++) {
    let value = 0;
    for (let bit = 0; bit < 4; bit++) value = 2 * value + Number((low[4 * digit + bit] as number) > median);
    hash += value.toString(16);
  }
  return hash;
}

/** 32 x 32 means of equal areas, whatever the size. */
function reduced({ values, width, height }: GreyPixels): Float64Array {
  const narrow = reducedLines(values, height, width, 1, width);
  return reducedLines(narrow, SIDE, height, SIDE, 1);
}

/**
 * Of `lines` lines of `size` values, `step` apart and the lines `lineStep` apart, the means of 32 equal parts of each: part by part of
 * a line where `step` is 1, else again `step` apart.
 */
function reducedLines(
  values: ArrayLike<number>,
  lines: number,
  size: number,
  step: number,
  lineStep: number,
): Float64Array {
  const { first, shares, reach } = partsOf(size);
  const result = new Float64Array(lines * SIDE);
  const [partStep, resultLineStep] = step === 1 ? [1, SIDE] : [step, 1];
  for (let line = 0; line < lines; line++)
    for (let part = 0; part < SIDE; part++) {
      let at = line * lineStep + (first[part] as number) * step;
      let sum = 0;
      for (let place = part * reach; place < (part + 1) * reach; place++, at += step)
        sum += (shares[place] as number) * (values[at] ?? 0);
      result[line * resultLineStep + part * partStep] = sum;
    }
  return result;
}

interface Parts {
  /** Of each part, the first value it covers. */
  first: Int32Array;
  /** Of each part, the shares of the `reach` values from its first one; 0 past its end. */
  shares: Float64Array;
  reach: number;
}

const partsOfSize = new Map<number, Parts>();

/** A line of `size` values in 32 equal parts. */
function partsOf(size: number): Parts {
  const known = partsOfSize.get(size);
  if (known) return known;
  const reach = Math.ceil(size / SIDE) + 1;
  const parts: Parts = { first: new Int32Array(SIDE), shares: new Float64Array(SIDE * reach), reach };
  for (let part = 0; part < SIDE; part++) {
    const start = (part * size) / SIDE;
    const end = ((part + 1) * size) / SIDE;
    const first = Math.floor(start);
    parts.first[part] = first;
    for (let place = 0; place < reach; place++) {
      const covered = Math.min(end, first + place + 1) - Math.max(start, first + place);
      parts.shares[part * reach + place] = Math.max(0, covered) / (end - start);
    }
  }
  // Models have few sizes, but nothing else would bound this.
  if (partsOfSize.size >= 16) partsOfSize.clear();
  partsOfSize.set(size, parts);
  return parts;
}
