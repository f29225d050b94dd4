import { randomNumbers } from '../../../packages/index/src/random.ts';

export interface Vectors {
  count: number;
  dimension: number;
  /** `count` x dimension. */
  data: Float32Array;
}

/** Gaussian clusters of about a thousand rows, of unequal width; the last rows, too, so that queries lie in them. */
export function clusteredVectors(count: number, dimension: number, seed: number): Vectors {
  const random = randomNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const clusters = Math.max(1, Math.round(count / 1000));
  const centres = Float32Array.from({ length: clusters * dimension }, normal);
  const widths = Array.from({ length: clusters }, () => 0.3 + 0.6 * random());
  const data = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const cluster = Math.floor(random() * clusters);
    const width = widths[cluster] as number;
    for (let d = 0; d < dimension; d++)
      data[row * dimension + d] = (centres[cluster * dimension + d] as number) + width * normal();
  }
  return { count, dimension, data };
}

/** Vectors of Gaussian clusters, `clusters` of them, each made by its number alone: a million need not be held. */
export function clusterSampler(
  clusters: number,
  dimension: number,
  seed: number,
): (row: number) => Float32Array {
  const normalOf = (random: () => number) => () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const shared = randomNumbers(seed);
  const centres = Float32Array.from({ length: clusters * dimension }, normalOf(shared));
  const widths = Array.from({ length: clusters }, () => 0.3 + 0.6 * shared());
  return (row) => {
    const random = randomNumbers(Math.imul(row + 1, 0x9e3779b1) ^ seed);
    const normal = normalOf(random);
    const cluster = Math.floor(random() * clusters);
    const width = widths[cluster] as number;
    return Float32Array.from(
      { length: dimension },
      (_, d) => (centres[cluster * dimension + d] as number) + width * normal(),
    );
  };
}

/** A two-dimensional NumPy array of little-endian float32. */
export function readNpy(file: Buffer): Vectors {
  const headerLength = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + headerLength);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (file.toString('latin1', 1, 6) !== 'NUMPY' || !header.includes("'<f4'") || shape === null)
    throw new Error(`expected a .npy file of float32 rows, got ${header}`);
  const [count, dimension] = [Number(shape[1]), Number(shape[2])];
  const bytes = file.subarray(10 + headerLength);
  return { count, dimension, data: new Float32Array(Uint8Array.from(bytes).buffer, 0, count * dimension) };
}
