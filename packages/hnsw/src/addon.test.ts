import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HierarchicalNSW, type HierarchicalNsw, hnswBuild } from './index.ts';

const require = createRequire(import.meta.url);
const prebuilds = join(import.meta.dirname, '..', 'prebuilds');
const manifest: Record<string, { sha256: string }> = require('../prebuilds/manifest.json');

/** A seeded generator (mulberry32), so that every build sees the same vectors. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function vectors(count: number, dimension: number): number[][] {
  const next = random(1);
  return Array.from({ length: count }, () => {
    const vector = Array.from({ length: dimension }, () => Math.fround(next() - 0.5));
    const norm = Math.hypot(...vector);
    return vector.map((x) => x / norm);
  });
}

function neighbours(
  Graph: new (space: 'ip', dimension: number) => HierarchicalNsw,
  points: number[][],
): number[][] {
  const graph = new Graph('ip', (points[0] as number[]).length);
  graph.initIndex({ maxElements: points.length, m: 16, efConstruction: 100 });
  points.forEach((point, label) => {
    graph.addPoint(point, label);
  });
  graph.setEf(200);
  return points.slice(0, 50).map((point) => graph.searchKnn(point, 10).neighbors);
}

describe('the hnswlib addon', () => {
  test('finds the true nearest neighbours', () => {
    const points = vectors(1000, 64);
    const found = neighbours(HierarchicalNSW, points);
    let hits = 0;
    found.forEach((labels, query) => {
      const dot = (label: number) =>
        (points[label] as number[]).reduce((sum, x, i) => sum + x * (points[query]?.[i] as number), 0);
      const truth = points
        .map((_, label) => label)
        .sort((a, b) => dot(b) - dot(a))
        .slice(0, 10);
      hits += labels.filter((label) => truth.includes(label)).length;
    });
    expect(hits / (found.length * 10)).toBeGreaterThan(0.99);
  });

  test('every shipped build answers as its neighbours do', ({ skip }) => {
    if (hnswBuild === 'hnswlib-node') skip('no prebuilt addon for this platform');
    const points = vectors(500, 64);
    const expected = neighbours(HierarchicalNSW, points);
    const others = Object.keys(manifest).filter((name) => hnswBuild?.startsWith(name) && name !== hnswBuild);
    for (const name of others)
      expect(
        neighbours(require(join(prebuilds, name, 'hnswlib.node')).HierarchicalNSW, points),
        name,
      ).toEqual(expected);
  });
});

describe.each(Object.keys(manifest))('prebuilt %s', (name) => {
  const file = readFileSync(join(prebuilds, name, 'hnswlib.node'));

  test('is the file that the manifest names', () => {
    expect(createHash('sha256').update(file).digest('hex')).toBe(manifest[name]?.sha256);
  });

  test('is for the machine that its name says', () => {
    const elfMachine = { x64: 62, arm64: 183 }[name.split('-')[1] as 'x64' | 'arm64'];
    expect(file.readUInt16LE(18)).toBe(elfMachine);
  });
});
