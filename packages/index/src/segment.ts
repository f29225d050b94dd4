import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import { CodeFile } from './code-file.ts';
import { CodeBuilder } from './codes.ts';
import { dotAt } from './distance.ts';
import type { CollectionInfo, Metadata } from './engine.ts';
import { fieldValue } from './filter-match.ts';
import { type Graph, loadGraph } from './graph.ts';
import { SegmentKeys } from './keys-file.ts';
import type { LocalFiles } from './local-files.ts';
import { segmentKey } from './log-keys.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { MetadataColumn } from './metadata-column.ts';
import { type Meter, newMeter } from './meter.ts';
import { fetchObject } from './object-fetch.ts';
import type { Column, Region } from './row-blocks.ts';
import { decodeVectors, textAt, textsStart } from './row-columns.ts';
import { type SegmentDescriptor, type SegmentFileKind, segmentFileNames } from './segment-descriptor.ts';
import { rebuildKeys } from './segment-repair.ts';

/** What segments share in a process. */
export interface SegmentSpace {
  store: ObjectStore;
  local: LocalFiles;
  budget: MemoryBudget;
}

/** Milliseconds without a read for an answer before the next queries are prepared for: the first one is answered first. */
const loadDelay = 20;
/** However busy it is, that begins after so many milliseconds. */
const maxLoadDelay = 10_000;

/** The vectors of a segment, in the order of its rows. */
export interface ResidentVectors {
  vectors: Float32Array;
  squaredNorms: Float64Array;
}

/** An immutable segment: its keys in memory, all else loaded when it is needed and let go when memory is short. */
export class Segment {
  readonly descriptor: SegmentDescriptor;
  readonly keys: SegmentKeys;
  readonly #info: CollectionInfo;
  readonly #space: SegmentSpace;
  #codes: CodeFile | undefined;
  #codesLoading: Promise<CodeFile | undefined> | undefined;
  /** The vectors cannot be coded (see codes.ts): only exact scans. */
  #unusable = false;
  #graph: Graph | undefined;
  #graphLoading: Promise<void> | undefined;
  #graphFailed = false;
  #resident: ResidentVectors | undefined;
  #residentLoading: Promise<void> | undefined;
  #residentFailed = false;
  #readers = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #rowsPath: string | undefined;
  /** Column regions of the local rows file whose CRC was found right, as `block * 2 + (vector ? 1 : 0)`. */
  readonly #checkedRegions = new Set<number>();
  readonly #columns = new Map<string, MetadataColumn>();
  /** Metadata regions of blocks that were asked for. */
  readonly #texts = new Map<number, Uint8Array>();

  private constructor(
    descriptor: SegmentDescriptor,
    keys: SegmentKeys,
    info: CollectionInfo,
    space: SegmentSpace,
  ) {
    this.descriptor = descriptor;
    this.keys = keys;
    this.#info = info;
    this.#space = space;
  }

  /** Reads the keys; where they are damaged or missing, makes them from the rows. */
  static async open(
    descriptor: SegmentDescriptor,
    info: CollectionInfo,
    space: SegmentSpace,
    meter: Meter,
  ): Promise<Segment> {
    const key = segmentKey(info.name, descriptor.id, segmentFileNames.keys);
    let keys: SegmentKeys;
    try {
      keys = SegmentKeys.decode(key, await fetchObject(space.store, key, descriptor.files.keys, meter));
    } catch (error) {
      if (!isDamage(error)) throw error;
      const rowsKey = segmentKey(info.name, descriptor.id, segmentFileNames.rows);
      keys = await rebuildKeys(space.store, rowsKey, descriptor, meter);
    }
    if (keys.count !== descriptor.rows)
      throw new LookalikeError('damaged-object', `${key}: ${keys.count} rows, expected ${descriptor.rows}`, {
        details: { key },
      });
    return new Segment(descriptor, keys, info, space);
  }

  get rows(): number {
    return this.descriptor.rows;
  }

  key(kind: SegmentFileKind): string {
    return segmentKey(this.#info.name, this.descriptor.id, segmentFileNames[kind]);
  }

  /** Whether a flat search needs no fetching. */
  get codesLoaded(): boolean {
    return this.#codes !== undefined;
  }

  /** The codes in memory, or undefined where the vectors cannot be coded. */
  async codes(meter: Meter): Promise<CodeFile | undefined> {
    if (this.#codes !== undefined) {
      this.#space.budget.touch(this);
      return this.#codes;
    }
    if (this.#unusable) return undefined;
    this.#codesLoading ??= this.#reading(() => this.#loadCodes(meter)).finally(() => {
      this.#codesLoading = undefined;
    });
    return this.#codesLoading;
  }

  async #loadCodes(meter: Meter): Promise<CodeFile | undefined> {
    const file = this.descriptor.files.codes;
    let codes = new CodeFile(this.rows, this.#info.dimension, file.length);
    try {
      await fetchObject(this.#space.store, this.key('codes'), file, meter, codes.bytes);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const bytes = await this.#rebuildCodes(meter);
      codes = new CodeFile(this.rows, this.#info.dimension, bytes.length);
      codes.bytes.set(bytes);
    }
    if (!codes.open(this.key('codes'))) {
      this.#unusable = true;
      return undefined;
    }
    this.#codes = codes;
    this.#space.budget.hold(this, codes.size, () => {
      this.#codes = undefined;
    });
    return codes;
  }

  /** The codes as they were: of the rows. */
  async #rebuildCodes(meter: Meter): Promise<Uint8Array> {
    const { metric, dimension } = this.#info;
    const builder = new CodeBuilder(metric, dimension, this.rows);
    for await (const { vectors, rows } of this.vectorBlocks(meter))
      for (let i = 0; i < rows; i++) builder.add(vectors.subarray(i * dimension, (i + 1) * dimension));
    return builder.encode();
  }

  /** The graph, where there is one in memory. Otherwise begins to load it, where it would fit: the next ones may have it. */
  graphIfLoaded(): Graph | undefined {
    if (this.#graph !== undefined) {
      this.#space.budget.touch(this.#graph);
      return this.#graph;
    }
    const file = this.descriptor.files.graph;
    if (file !== undefined && !this.#graphFailed && file.length <= this.#space.budget.limit / 2)
      this.#graphLoading ??= this.#quiet()
        .then(() => this.#loadGraph())
        .catch(() => undefined)
        .finally(() => {
          this.#graphLoading = undefined;
        });
    return undefined;
  }

  /** Resolves when all that makes searches fast is in memory, as far as it fits. */
  async warm(): Promise<void> {
    await this.loadGraph();
    this.vectorsIfLoaded();
    await this.#residentLoading;
  }

  /** Resolves when the graph is in memory, or cannot be: a damaged one is done without. */
  loadGraph(): Promise<void> {
    this.#graphLoading ??= this.#loadGraph().finally(() => {
      this.#graphLoading = undefined;
    });
    return this.#graphLoading;
  }

  async #loadGraph(): Promise<void> {
    const file = this.descriptor.files.graph;
    if (file === undefined || this.#graph !== undefined) return;
    const { local, budget } = this.#space;
    try {
      const path = await local.need(this.key('graph'), file, newMeter());
      if (!(await local.check(path, file))) throw new LookalikeError('damaged-object', `${path} is damaged`);
      const { metric, dimension } = this.#info;
      const graph = await loadGraph(path, { metric, dimension, count: this.rows });
      this.#graph = graph;
      budget.hold(graph, graph.bytes, () => {
        this.#graph = undefined;
      });
    } catch (error) {
      this.#graphFailed = true;
      if (!isDamage(error)) throw error;
    }
  }

  /**
   * All vectors, one after the other, with their squared norms, where they are in memory. Otherwise begins to load them,
   * where they would take no more than a quarter of it.
   */
  vectorsIfLoaded(): ResidentVectors | undefined {
    if (this.#resident !== undefined) {
      this.#space.budget.touch(this.#resident);
      return this.#resident;
    }
    const bytes = this.rows * (this.#info.dimension * 4 + 8);
    if (!this.#residentFailed && bytes <= this.#space.budget.limit / 4) {
      this.#residentLoading ??= this.#quiet()
        .then(() => this.#loadVectors(bytes))
        .catch(() => {
          // What is wrong with the rows is said by whoever needs them.
          this.#residentFailed = true;
        })
        .finally(() => {
          this.#residentLoading = undefined;
        });
    }
    return undefined;
  }

  async #loadVectors(bytes: number): Promise<void> {
    const { dimension } = this.#info;
    const resident: ResidentVectors = {
      vectors: new Float32Array(this.rows * dimension),
      squaredNorms: new Float64Array(this.rows),
    };
    for await (const { first, rows, vectors } of this.vectorBlocks(newMeter())) {
      resident.vectors.set(vectors, first * dimension);
      for (let i = 0; i < rows; i++) {
        const vector = vectors.subarray(i * dimension, (i + 1) * dimension);
        resident.squaredNorms[first + i] = dotAt(vector, vector, 0);
      }
    }
    this.#resident = resident;
    this.#space.budget.hold(resident, bytes, () => {
      this.#resident = undefined;
    });
  }

  /** Has the rows on this machine, so that single ones are read at once. */
  async #findRows(): Promise<string | undefined> {
    this.#rowsPath ??= await this.#space.local.have(this.key('rows'), this.descriptor.files.rows);
    return this.#rowsPath;
  }

  /** Vectors of rows, each checked; in the order asked. */
  async vectors(rows: readonly number[], meter: Meter): Promise<Float32Array[]> {
    const path = await this.#findRows();
    const result: Float32Array[] = [];
    const missing: number[] = [];
    for (const [i, row] of rows.entries()) {
      const vector = path === undefined ? undefined : this.#vectorSync(path, row);
      if (vector === undefined) missing.push(i);
      else result[i] = vector;
    }
    if (missing.length > 0)
      await this.#reading(() =>
        inParallel(missing, 32, async (i) => {
          result[i] = await this.#vectorRemote(rows[i] as number, meter);
        }),
      );
    return result;
  }

  /** Does what an answer waits for. */
  async #reading<T>(work: () => Promise<T>): Promise<T> {
    this.#readers++;
    try {
      return await work();
    } finally {
      this.#readers--;
      this.#readAt = performance.now();
    }
  }

  /** Resolves when no answer waits for the store: what is loaded for later ones would take its share of the line. */
  async #quiet(): Promise<void> {
    const deadline = performance.now() + maxLoadDelay;
    const isBusy = () => this.#readers > 0 || performance.now() - this.#readAt < loadDelay;
    do await sleep(loadDelay);
    while (isBusy() && performance.now() < deadline);
  }

  #place(row: number): { block: number; index: number; start: number; length: number } {
    const block = this.keys.blockOf(row);
    const index = row - (this.keys.blockStarts[block] as number);
    const length = this.#info.dimension * 4;
    const region = (this.keys.blocks[block] as { regions: Record<Column, Region> }).regions.vector;
    return { block, index, start: region.start + index * length, length };
  }

  #vectorSync(path: string, row: number): Float32Array | undefined {
    const { block, start, length } = this.#place(row);
    if (this.#codes === undefined && !this.#checkRegion(path, block, 'vector')) return undefined;
    const bytes = this.#space.local.readSync(path, start, length);
    if (bytes === undefined) return undefined;
    if (this.#codes !== undefined && crc32(bytes) !== this.#codes.check(row)) return undefined;
    return new Float32Array(bytes.buffer, bytes.byteOffset, this.#info.dimension);
  }

  async #vectorRemote(row: number, meter: Meter): Promise<Float32Array> {
    const { block, index, start, length } = this.#place(row);
    const { dimension } = this.#info;
    if (this.#codes !== undefined) {
      for (let attempt = 0; attempt < 2; attempt++) {
        const bytes = await this.#readRows(start, length, meter);
        if (bytes.length === length && crc32(bytes) === this.#codes?.check(row))
          return decodeVectors(bytes, 1, dimension);
      }
    }
    const region = await this.region(block, 'vector', meter);
    return decodeVectors(region, this.#blockRows(block), dimension).slice(
      index * dimension,
      (index + 1) * dimension,
    );
  }

  async #readRows(start: number, length: number, meter: Meter): Promise<Uint8Array> {
    meter.requests++;
    const key = this.key('rows');
    const found = await this.#space.store.get(key, { range: { start, end: start + length } });
    if (found === undefined)
      throw new LookalikeError('missing-object', `${key} is missing`, { details: { key } });
    meter.bytes += found.body.length;
    return found.body;
  }

  #blockRows(block: number): number {
    return (this.keys.blocks[block] as { rows: number }).rows;
  }

  /** The bytes of a column of a block, checked. */
  async region(block: number, column: Column, meter: Meter): Promise<Uint8Array> {
    const { start, length, crc } = (this.keys.blocks[block] as { regions: Record<Column, Region> }).regions[
      column
    ];
    for (let attempt = 0; attempt < 2; attempt++) {
      const bytes = await this.#readRows(start, length, meter);
      if (bytes.length === length && crc32(bytes) === crc) return bytes;
    }
    const key = this.key('rows');
    throw new LookalikeError('damaged-object', `${key} is damaged: column ${column} at byte ${start}`, {
      details: { key },
    });
  }

  #checkRegion(path: string, block: number, column: 'metadata' | 'vector'): boolean {
    const mark = block * 2 + (column === 'vector' ? 1 : 0);
    if (this.#checkedRegions.has(mark)) return true;
    const { start, length, crc } = (this.keys.blocks[block] as { regions: Record<Column, Region> }).regions[
      column
    ];
    const bytes = this.#space.local.readSync(path, start, length);
    if (bytes === undefined || crc32(bytes) !== crc) return false;
    this.#checkedRegions.add(mark);
    if (column === 'metadata') {
      this.#keepTexts(block, bytes);
    }
    return true;
  }

  #keepTexts(block: number, region: Uint8Array): void {
    const before = this.#texts.get(block);
    if (before !== undefined) this.#space.budget.drop(before);
    this.#texts.set(block, region);
    this.#space.budget.hold(region, region.length, () => this.#texts.delete(block));
  }

  #keptText(block: number, row: number): string | undefined {
    const region = this.#texts.get(block);
    if (region === undefined) return undefined;
    this.#space.budget.touch(region);
    const text = textAt(region, this.#blockRows(block), row - (this.keys.blockStarts[block] as number));
    return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString();
  }

  /** Metadata of rows as JSON text, in the order asked. */
  async metadata(rows: readonly number[], meter: Meter): Promise<string[]> {
    const path = await this.#findRows();
    const result: string[] = [];
    const missing = new Map<number, number[]>();
    for (const [i, row] of rows.entries()) {
      const block = this.keys.blockOf(row);
      const text = this.#keptText(block, row) ?? (path && this.#metadataSync(path, block, row));
      if (text !== undefined) result[i] = text;
      else missing.set(block, [...(missing.get(block) ?? []), i]);
    }
    const fetchBlock = async ([block, wanted]: [number, number[]]) => {
      const region = await this.region(block, 'metadata', meter);
      this.#keepTexts(block, region);
      for (const i of wanted) {
        const index = (rows[i] as number) - (this.keys.blockStarts[block] as number);
        result[i] = Buffer.from(textAt(region, this.#blockRows(block), index)).toString();
      }
    };
    if (missing.size > 0) await this.#reading(() => inParallel([...missing], 16, fetchBlock));
    return result;
  }

  #metadataSync(path: string, block: number, row: number): string | undefined {
    if (!this.#checkRegion(path, block, 'metadata')) return undefined;
    const { start } = (this.keys.blocks[block] as { regions: Record<Column, Region> }).regions.metadata;
    const kept = this.#keptText(block, row);
    if (kept !== undefined) return kept;
    const index = row - (this.keys.blockStarts[block] as number);
    const offsets = this.#space.local.readSync(path, start + index * 4, 8);
    if (offsets === undefined) return undefined;
    const view = new DataView(offsets.buffer, offsets.byteOffset, 8);
    const [from, to] = [view.getInt32(0, true), view.getInt32(4, true)];
    const bytes = this.#space.local.readSync(
      path,
      start + textsStart(this.#blockRows(block)) + from,
      to - from,
    );
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }

  /** All vectors, block after block, each block checked. */
  async *vectorBlocks(meter: Meter): AsyncGenerator<{ first: number; rows: number; vectors: Float32Array }> {
    for (const [block, { rows }] of this.keys.blocks.entries()) {
      const region = await this.region(block, 'vector', meter);
      yield {
        first: this.keys.blockStarts[block] as number,
        rows,
        vectors: decodeVectors(region, rows, this.#info.dimension),
      };
    }
  }

  /** The values of a metadata field, a row each; kept while memory allows. */
  async column(field: string, meter: Meter): Promise<MetadataColumn> {
    const known = this.#columns.get(field);
    if (known !== undefined) {
      this.#space.budget.touch(known);
      return known;
    }
    const path = field.split('.');
    const column = new MetadataColumn(this.rows);
    for (const [block, { rows }] of this.keys.blocks.entries()) {
      const region = await this.region(block, 'metadata', meter);
      const first = this.keys.blockStarts[block] as number;
      for (let i = 0; i < rows; i++) {
        const text = textAt(region, rows, i);
        // `{}`, the commonest of all.
        if (text.length === 2) continue;
        const metadata = JSON.parse(Buffer.from(text).toString()) as Metadata;
        column.set(first + i, fieldValue(metadata, path));
      }
    }
    column.seal();
    this.#columns.set(field, column);
    this.#space.budget.hold(column, column.bytes, () => this.#columns.delete(field));
    return column;
  }

  /** Lets go of all but the keys. */
  release(): void {
    this.#space.budget.drop(this);
    this.#codes = undefined;
    if (this.#graph !== undefined) this.#space.budget.drop(this.#graph);
    this.#graph = undefined;
    if (this.#resident !== undefined) this.#space.budget.drop(this.#resident);
    this.#resident = undefined;
    for (const held of [...this.#columns.values(), ...this.#texts.values()]) this.#space.budget.drop(held);
    this.#columns.clear();
    this.#texts.clear();
  }
}

/** Segments by their descriptors, a few at a time; those that are open already stay so. */
export async function openSegments(
  descriptors: readonly SegmentDescriptor[],
  {
    space,
    info,
    known,
  }: { space: SegmentSpace; info: CollectionInfo; known: readonly { segment: Segment }[] },
  meter: Meter,
): Promise<Segment[]> {
  const open = new Map(known.map(({ segment }) => [segment.descriptor.id, segment]));
  const opened: Segment[] = [];
  await inParallel([...descriptors.entries()], 8, async ([i, descriptor]) => {
    opened[i] = open.get(descriptor.id) ?? (await Segment.open(descriptor, info, space, meter));
  });
  return opened;
}

export function isDamage(error: unknown): boolean {
  return (
    error instanceof LookalikeError && ['damaged-object', 'missing-object', 'short-read'].includes(error.code)
  );
}

export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}
