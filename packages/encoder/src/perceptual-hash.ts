import type { GreyPixels } from './grey-pixels.ts';

/** Of the perceptual hash: 256 bits. */
const SIDE = 64;
const FREQUENCIES = 16;

/**
 * The perceptual hash of the product: 256 `cosineSigns` of 64 x 64 means, as 64 hex digits. These are the frequencies, the
 * size and the median of PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019), over plain means where PDQ
 * has a tent filter, and of the pixels that a model sees anyway. Recompressed, resized, recoloured, blurred or written-on copies differ
 * in a few bits, unrelated pictures in about 128.
 */
export function perceptualHash(grey: GreyPixels): string {
  return cosineSigns(grey, SIDE, FREQUENCIES);
}

/**
 * pHash (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010): the `frequencies` x `frequencies` lowest
 * frequencies but the constant ones of the discrete cosine transform of `side` x `side` grey pixels, each against their
 * median: as many bits set as not. Hex digits, row by row of frequencies.
 * @param frequencies even
 */
export function cosineSigns(grey: GreyPixels, side: number, frequencies: number): string {
  const small = reduced(grey, side);
  const cosines = cosinesOf(side, frequencies);
  const across = new Float64Array(side * frequencies);
  for (let y = 0; y < side; y++)
    for (let u = 0; u < frequencies; u++) {
      let sum = 0;
      for (let x = 0; x < side; x++)
        sum += (cosines[u * side + x] as number) * (small[y * side + x] as number);
      across[y * frequencies + u] = sum;
    }
  const low = new Float64Array(frequencies * frequencies);
  for (let v = 0; v < frequencies; v++)
    for (let u = 0; u < frequencies; u++) {
      let sum = 0;
      for (let y = 0; y < side; y++)
        sum += (cosines[v * side + y] as number) * (across[y * frequencies + u] as number);
      low[v * frequencies + u] = sum;
    }
  const sorted = low.toSorted();
  const middle = sorted.length / 2;
  const median = ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  let hash = '';
  for (let digit = 0; 4 * digit < low.length; digit++) {
    let value = 0;
    for (let bit = 0; bit < 4; bit++) value = 2 * value + Number((low[4 * digit + bit] as number) > median);
    hash += value.toString(16);
  }
  return hash;
}

const knownCosines = new Map<string, Float64Array>();

/** cos((2x + 1) u pi / 2n) of the frequencies u = 1, 2, ..., [frequency][place]. */
function cosinesOf(side: number, frequencies: number): Float64Array {
  const key = `${side} ${frequencies}`;
  let cosines = knownCosines.get(key);
  if (!cosines) {
    cosines = Float64Array.from({ length: frequencies * side }, (_, at) =>
      Math.cos(((2 * (at % side) + 1) * (Math.floor(at / side) + 1) * Math.PI) / (2 * side)),
    );
    knownCosines.set(key, cosines);
  }
  return cosines;
}

/** `side` x `side` means of equal areas, whatever the size. */
function reduced({ values, width, height }: GreyPixels, side: number): Float64Array {
  const narrow = reducedLines(values, { lines: height, size: width, step: 1, lineStep: width }, side);
  return reducedLines(narrow, { lines: side, size: height, step: side, lineStep: 1 }, side);
}

/** `lines` lines of `size` values, `step` apart and the lines `lineStep` apart. */
interface Lines {
  lines: number;
  size: number;
  step: number;
  lineStep: number;
}

/** The means of `count` equal parts of every line: part by part of a line where `step` is 1, else again `step` apart. */
function reducedLines(
  values: ArrayLike<number>,
  { lines, size, step, lineStep }: Lines,
  count: number,
): Float64Array {
  const { first, shares, reach } = partsOf(size, count);
  const result = new Float64Array(lines * count);
  const [partStep, resultLineStep] = step === 1 ? [1, count] : [step, 1];
  for (let line = 0; line < lines; line++)
    for (let part = 0; part < count; part++) {
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

const knownParts = new Map<string, Parts>();

/** A line of `size` values in `count` equal parts. */
function partsOf(size: number, count: number): Parts {
  const key = `${size} ${count}`;
  const known = knownParts.get(key);
  if (known) return known;
  const reach = Math.ceil(size / count) + 1;
  const parts: Parts = { first: new Int32Array(count), shares: new Float64Array(count * reach), reach };
  for (let part = 0; part < count; part++) {
    const start = (part * size) / count;
    const end = ((part + 1) * size) / count;
    const first = Math.floor(start);
    parts.first[part] = first;
    for (let place = 0; place < reach; place++) {
      const covered = Math.min(end, first + place + 1) - Math.max(start, first + place);
      parts.shares[part * reach + place] = Math.max(0, covered) / (end - start);
    }
  }
  // Models have few sizes, but nothing else would bound this.
  if (knownParts.size >= 16) knownParts.clear();
  knownParts.set(key, parts);
  return parts;
}
