import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadGraph } from './graph.ts';
import { GraphBuilder } from './graph-builder.ts';
import { randomNumbers } from './random.ts';

const hnsw = { m: 8, efConstruction: 50 };
let folder: string;
let path: string;
const random = randomNumbers(1);
const vectors = Array.from({ length: 300 }, () => Float32Array.from({ length: 4 }, () => random() - 0.5));
const expected = { metric: 'cosine', dimension: 4, count: 300 } as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-graph-'));
  path = join(folder, 'good');
  const builder = new GraphBuilder('cosine', 4, 300, hnsw);
  for (const vector of vectors) builder.add(vector);
  builder.write(path);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// Each of these ends the process, or passes unnoticed, in the library itself.
describe('a graph', () => {
  test('finds its rows again', async () => {
    const graph = await loadGraph(path, expected);
    for (const row of [0, 150, 299]) expect(graph.search(vectors[row] as Float32Array, 20, 5)[0]).toBe(row);
    expect(graph.search(vectors[0] as Float32Array, 1000, 1000)).toHaveLength(300);
    expect(graph.search(vectors[0] as Float32Array, 1000, 7)).toHaveLength(7);
  });

  test('refuses a file that is missing, cut short, or of another shape', async () => {
    const damaged = { code: 'damaged-object' };
    await expect(loadGraph(join(folder, 'missing'), expected)).rejects.toMatchObject(damaged);
    await expect(loadGraph(path, { ...expected, dimension: 5 })).rejects.toMatchObject(damaged);
    await expect(loadGraph(path, { ...expected, count: 299 })).rejects.toMatchObject(damaged);
    const size = (await readFile(path)).length;
    for (const length of [0, 50, 96, size >> 1]) {
      const cut = join(folder, `cut-${length}`);
      await copyFile(path, cut);
      await truncate(cut, length);
      await expect(loadGraph(cut, expected)).rejects.toMatchObject(damaged);
    }
    const garbage = join(folder, 'garbage');
    await writeFile(garbage, Buffer.alloc(size, 0x5a));
    await expect(loadGraph(garbage, expected)).rejects.toMatchObject(damaged);
  });

  test('lets no number that is none, and no wrong length, reach the library', async () => {
    const graph = await loadGraph(path, expected);
    for (const bad of [
      [1, 2, 3],
      [1, 2, 3, Number.NaN],
      [1, 2, 3, Number.POSITIVE_INFINITY],
      [0, 0, 0, 0],
    ]) {
      expect(() => graph.search(Float32Array.from(bad), 10, 10)).toThrow(RangeError);
      expect(() => new GraphBuilder('cosine', 4, 10, hnsw).add(Float32Array.from(bad))).toThrow(RangeError);
    }
    for (const ef of [0, -1, 1.5, Number.NaN])
      expect(() => graph.search(vectors[0] as Float32Array, ef, 10)).toThrow(RangeError);
    expect(graph.search(vectors[3] as Float32Array, 10, 10)[0]).toBe(3);
  });

  test('refuses parameters that would end the process, and more rows than it has room for', () => {
    expect(() => new GraphBuilder('l2', 4, 10, { m: 0, efConstruction: 50 })).toThrow(RangeError);
    expect(() => new GraphBuilder('l2', 4, 0, hnsw)).toThrow(RangeError);
    const builder = new GraphBuilder('l2', 4, 1, hnsw);
    builder.add(vectors[0] as Float32Array);
    expect(() => builder.add(vectors[1] as Float32Array)).toThrow(RangeError);
  });

  test('notices a write that the library calls a success', () => {
    const builder = new GraphBuilder('l2', 4, 1, hnsw);
    builder.add(vectors[0] as Float32Array);
    expect(() => builder.write(join(folder, 'no', 'such', 'folder'))).toThrow();
    expect(() => builder.write('/dev/full')).toThrow();
  });
});
