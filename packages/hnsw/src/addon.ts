import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * What the rest of the project uses of hnswlib-node's `HierarchicalNSW`. It guards little by itself (a read of a
 * damaged file, NaN or a filter that throws can end the process): callers check first.
 */
export interface HierarchicalNsw {
  initIndex(options: {
    maxElements: number;
    m: number;
    efConstruction: number;
    randomSeed?: number;
    allowReplaceDeleted?: boolean;
  }): void;
  readIndexSync(path: string): void;
  readIndex(path: string): Promise<boolean>;
  writeIndexSync(path: string): void;
  writeIndex(path: string): Promise<boolean>;
  resizeIndex(maxElements: number): void;
  addPoint(point: number[], label: number): void;
  markDelete(label: number): void;
  unmarkDelete(label: number): void;
  searchKnn(
    query: number[],
    k: number,
    filter?: (label: number) => boolean,
  ): { distances: number[]; neighbors: number[] };
  getIdsList(): number[];
  getPoint(label: number): number[];
  getMaxElements(): number;
  getCurrentCount(): number;
  getNumDimensions(): number;
  setEf(ef: number): void;
  getEf(): number;
}

interface Addon {
  HierarchicalNSW: new (space: 'l2' | 'ip', dimension: number) => HierarchicalNsw;
}

const require = createRequire(import.meta.url);
const prebuilds = join(import.meta.dirname, '..', 'prebuilds');

/** x86-64-v3 (AVX2, FMA, BMI2): every server CPU since 2015, but not every virtual machine shows it. */
function hasX64v3(): boolean {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
    return ['avx2', 'fma', 'bmi1', 'bmi2', 'f16c', 'movbe', 'abm'].every((flag) => flags.includes(flag));
  } catch {
    return false;
  }
}

/** The prebuilt addons are for glibc: on Alpine (musl) hnswlib-node's own build serves. */
function usesGlibc(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime !== undefined;
}

function candidates(): string[] {
  if (process.platform !== 'linux' || !usesGlibc()) return [];
  if (process.arch === 'x64') return hasX64v3() ? ['linux-x64-v3', 'linux-x64'] : ['linux-x64'];
  if (process.arch === 'arm64') return ['linux-arm64'];
  return [];
}

function load(): { build: string; addon: Addon } | undefined {
  const manifest = require('../prebuilds/manifest.json') as Record<string, { sha256: string }>;
  for (const name of candidates()) {
    const path = join(prebuilds, name, 'hnswlib.node');
    if (!existsSync(path)) continue;
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (sha256 !== manifest[name]?.sha256)
      throw new Error(`${path} is damaged: SHA-256 ${sha256}, expected ${manifest[name]?.sha256}`);
    return { build: name, addon: require(path) };
  }
  try {
    return { build: 'hnswlib-node', addon: require('hnswlib-node') };
  } catch {
    // Not installed, or not compiled: npm asks before it runs what compiles it, and goes on where that fails.
    return undefined;
  }
}

const loaded = load();

/**
 * Which build runs: a folder of `prebuilds/`, or `hnswlib-node` for the one compiled at install. Undefined where there is none: then
 * everything is to be done without graphs.
 */
export const hnswBuild: string | undefined = loaded?.build;

export const HierarchicalNSW: Addon['HierarchicalNSW'] =
  loaded?.addon.HierarchicalNSW ??
  (class {
    constructor() {
      throw new Error(
        `no prebuilt hnswlib for ${process.platform}-${process.arch}, and hnswlib-node was not built at install`,
      );
    }
  } as unknown as Addon['HierarchicalNSW']);
