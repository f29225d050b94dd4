import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { distance } from './distance.ts';
import type { Collection, Item, Metric } from './engine.ts';
import { type EngineOptions, openEngine } from './open-engine.ts';
import { randomNumbers } from './random.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lookalike-segments-'));
  folders.push(path);
  return path;
}

/** Clustered, so that neighbours are near and many distances are close to each other. */
export function clusteredItems(count: number, dimension: number, seed: number): Item[] {
  const random = randomNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const centres = Array.from({ length: 20 }, () => Float32Array.from({ length: dimension }, normal));
  return Array.from({ length: count }, (_, i) => {
    const centre = centres[i % centres.length] as Float32Array;
    return {
      id: `item-${String(Math.floor(random() * 1e9)).padStart(9, '0')}-${i}`,
      vector: centre.map((value) => value + 0.3 * normal()),
      metadata: { n: i, group: `g${i % 7}`, ...(i % 3 === 0 && { third: true }) },
    };
  });
}

export function expectedIds(items: Iterable<Item>, metric: Metric, query: Float32Array, k: number): string[] {
  return [...items]
    .map(({ id, vector }) => ({ id, distance: distance(metric, query, vector) }))
    .sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
    .slice(0, k)
    .map(({ id }) => id);
}

export async function openOn(options: Partial<EngineOptions> & Pick<EngineOptions, 'store'>) {
  return openEngine({
    commitWindow: 0,
    maintenance: false,
    cacheFolder: await newFolder(),
    indexer: { graphMinRows: 500 },
    ...options,
  });
}

export async function load(collection: Collection, items: readonly Item[]): Promise<void> {
  for (let at = 0; at < items.length; at += 500) await collection.upsert(items.slice(at, at + 500));
}
