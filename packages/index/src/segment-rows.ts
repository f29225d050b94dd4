import { crc32 } from 'node:zlib';
import { LookalikeError } from '@lookalike/store';
import type { AnswerTraffic } from './answer-traffic.ts';
import type { BlockLayout, Column, Region } from './block-layout.ts';
import type { Metadata } from './engine.ts';
import { fieldValue } from './filter-match.ts';
import type { SegmentKeys } from './keys-file.ts';
import { MetadataColumn } from './metadata-column.ts';
import type { Meter } from './meter.ts';
import { inParallel } from './parallel.ts';
import { decodeVectors, textAt, textsStart } from './row-columns.ts';
import type { SegmentPlace } from './segment-place.ts';

const readsAtOnce = 48;
/** Vectors no farther apart than this (bytes) come with one request: what lies between costs less than another. */
const joinedGap = 32 * 1024;

/** Reads the rows of a segment: from this machine where they are on it, else by ranges from the store. All that is read is checked. */
export class SegmentRows {
  readonly #keys: SegmentKeys;
  readonly #place: SegmentPlace;
  readonly #traffic: AnswerTraffic;
  readonly #check: (row: number) => number | undefined;
  #path: string | undefined;
  /** Column regions of the local file whose CRC was found right, as `block * 2 + (vector ? 1 : 0)`. */
  readonly #checkedRegions = new Set<number>();
  readonly #columns = new Map<string, MetadataColumn>();
  /** Metadata regions of blocks that were asked for. */
  readonly #texts = new Map<number, Uint8Array>();

  /** `check`: CRC-32 of a row's vector, where it is known; a block's is known always. */
  constructor(
    place: SegmentPlace,
    keys: SegmentKeys,
    traffic: AnswerTraffic,
    check: (row: number) => number | undefined,
  ) {
    this.#place = place;
    this.#keys = keys;
    this.#traffic = traffic;
    this.#check = check;
  }

  /** Whether single rows can be read without a request to the store. */
  async isLocal(): Promise<boolean> {
    return (await this.#findFile()) !== undefined;
  }

  /** Vectors of rows, in the order asked. */
  async vectors(rows: readonly number[], meter: Meter): Promise<Float32Array[]> {
    const path = await this.#findFile();
    const result: Float32Array[] = [];
    const missing: number[] = [];
    for (const [i, row] of rows.entries()) {
      const vector = path === undefined ? undefined : this.#vectorSync(path, row);
      if (vector === undefined) missing.push(i);
      else result[i] = vector;
    }
    if (missing.length > 0) {
      const places = missing.map((i) => ({
        i,
        ...this.#vectorAt(rows[i] as number),
      }));
      await this.#traffic.run(() =>
        inParallel(joined(places), readsAtOnce, async (group) => {
          const vectors = await this.#vectorsRemote(group, meter);
          for (const [k, { i }] of group.entries()) result[i] = vectors[k] as Float32Array;
        }),
      );
    }
    return result;
  }

  #vectorAt(row: number): VectorPlace {
    const block = this.#keys.blockOf(row);
    const index = row - (this.#keys.blockStarts[block] as number);
    const length = this.#place.info.dimension * 4;
    const start = this.#regionOf(block, 'vector').start + index * length;
    return { row, block, index, start, end: start + length };
  }

  #vectorSync(path: string, row: number): Float32Array | undefined {
    const { block, start, end } = this.#vectorAt(row);
    const check = this.#check(row);
    if (check === undefined && !this.#checkRegion(path, block, 'vector')) return undefined;
    const bytes = this.#place.space.local.readSync(path, start, end - start);
    if (bytes === undefined) return undefined;
    if (check !== undefined && crc32(bytes) !== check) return undefined;
    return new Float32Array(bytes.buffer, bytes.byteOffset, this.#place.info.dimension);
  }

  /** Vectors in ascending order of row, in one read where each can be checked by itself and is right, else by their blocks. */
  async #vectorsRemote(places: readonly VectorPlace[], meter: Meter): Promise<Float32Array[]> {
    const { dimension } = this.#place.info;
    const { start } = places[0] as VectorPlace;
    const { end } = places.at(-1) as VectorPlace;
    for (let attempt = 0; attempt < 2; attempt++) {
      if (places.some(({ row }) => this.#check(row) === undefined)) break;
      const bytes = await this.#read(start, end - start, meter);
      const parts = places.map((place) => bytes.subarray(place.start - start, place.end - start));
      if (parts.every((part, i) => crc32(part) === this.#check((places[i] as VectorPlace).row)))
        return parts.map((part) => decodeVectors(part, 1, dimension));
    }
    const regions = new Map<number, Float32Array>();
    for (const block of new Set(places.map(({ block }) => block))) {
      const region = await this.region(block, 'vector', meter);
      regions.set(block, decodeVectors(region, this.#blockRows(block), dimension));
    }
    return places.map(({ block, index }) =>
      (regions.get(block) as Float32Array).slice(index * dimension, (index + 1) * dimension),
    );
  }

  /** All vectors, block after block. */
  async *vectorBlocks(meter: Meter): AsyncGenerator<{ first: number; rows: number; vectors: Float32Array }> {
    for (const [block, { rows }] of this.#keys.blocks.entries()) {
      const region = await this.region(block, 'vector', meter);
      yield {
        first: this.#keys.blockStarts[block] as number,
        rows,
        vectors: decodeVectors(region, rows, this.#place.info.dimension),
      };
    }
  }

  /** Metadata of rows as JSON text, in the order asked. */
  async metadata(rows: readonly number[], meter: Meter): Promise<string[]> {
    const path = await this.#findFile();
    const result: string[] = [];
    const missing = new Map<number, number[]>();
    for (const [i, row] of rows.entries()) {
      const block = this.#keys.blockOf(row);
      const text = this.#keptText(block, row) ?? (path && this.#metadataSync(path, block, row));
      if (text !== undefined) result[i] = text;
      else missing.set(block, [...(missing.get(block) ?? []), i]);
    }
    const fetchBlock = async ([block, wanted]: [number, number[]]) => {
      const region = await this.region(block, 'metadata', meter);
      this.#keepTexts(block, region);
      for (const i of wanted) {
        const index = (rows[i] as number) - (this.#keys.blockStarts[block] as number);
        result[i] = Buffer.from(textAt(region, this.#blockRows(block), index)).toString();
      }
    };
    if (missing.size > 0) await this.#traffic.run(() => inParallel([...missing], readsAtOnce, fetchBlock));
    return result;
  }

  #metadataSync(path: string, block: number, row: number): string | undefined {
    if (!this.#checkRegion(path, block, 'metadata')) return undefined;
    const kept = this.#keptText(block, row);
    if (kept !== undefined) return kept;
    const { local } = this.#place.space;
    const { start } = this.#regionOf(block, 'metadata');
    const index = row - (this.#keys.blockStarts[block] as number);
    const offsets = local.readSync(path, start + index * 4, 8);
    if (offsets === undefined) return undefined;
    const view = new DataView(offsets.buffer, offsets.byteOffset, 8);
    const [from, to] = [view.getInt32(0, true), view.getInt32(4, true)];
    const bytes = local.readSync(path, start + textsStart(this.#blockRows(block)) + from, to - from);
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }

  #keepTexts(block: number, region: Uint8Array): void {
    const { budget } = this.#place.space;
    const before = this.#texts.get(block);
    if (before !== undefined) budget.drop(before);
    this.#texts.set(block, region);
    budget.hold(region, region.length, () => this.#texts.delete(block));
  }

  #keptText(block: number, row: number): string | undefined {
    const region = this.#texts.get(block);
    if (region === undefined) return undefined;
    this.#place.space.budget.touch(region);
    const text = textAt(region, this.#blockRows(block), row - (this.#keys.blockStarts[block] as number));
    return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString();
  }

  /** The values of a metadata field, a row each; kept while memory allows. */
  async column(field: string, meter: Meter): Promise<MetadataColumn> {
    const { budget } = this.#place.space;
    const known = this.#columns.get(field);
    if (known !== undefined) {
      budget.touch(known);
      return known;
    }
    const path = field.split('.');
    const column = new MetadataColumn(this.#keys.count);
    for (const [block, { rows }] of this.#keys.blocks.entries()) {
      const region = await this.region(block, 'metadata', meter);
      const first = this.#keys.blockStarts[block] as number;
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
    budget.hold(column, column.bytes, () => this.#columns.delete(field));
    return column;
  }

  /** The bytes of a column of a block, from the store. */
  async region(block: number, column: Column, meter: Meter): Promise<Uint8Array> {
    const { start, length, crc } = this.#regionOf(block, column);
    for (let attempt = 0; attempt < 2; attempt++) {
      const bytes = await this.#read(start, length, meter);
      if (bytes.length === length && crc32(bytes) === crc) return bytes;
    }
    const key = this.#place.key('rows');
    throw new LookalikeError('damaged-object', `${key} is damaged: column ${column} at byte ${start}`, {
      details: { key },
    });
  }

  async #read(start: number, length: number, meter: Meter): Promise<Uint8Array> {
    meter.requests++;
    const key = this.#place.key('rows');
    const found = await this.#place.space.store.get(key, { range: { start, end: start + length } });
    if (found === undefined)
      throw new LookalikeError('missing-object', `${key} is missing`, { details: { key } });
    meter.bytes += found.body.length;
    return found.body;
  }

  /** Where the file is on this machine, so that single rows are read at once. */
  async #findFile(): Promise<string | undefined> {
    const { descriptor, space } = this.#place;
    this.#path ??= await space.local.have(this.#place.key('rows'), descriptor.files.rows);
    return this.#path;
  }

  /** Whether a column of a block is right in the local file; its metadata is then kept. */
  #checkRegion(path: string, block: number, column: 'metadata' | 'vector'): boolean {
    const mark = block * 2 + (column === 'vector' ? 1 : 0);
    if (this.#checkedRegions.has(mark)) return true;
    const { start, length, crc } = this.#regionOf(block, column);
    const bytes = this.#place.space.local.readSync(path, start, length);
    if (bytes === undefined || crc32(bytes) !== crc) return false;
    this.#checkedRegions.add(mark);
    if (column === 'metadata') this.#keepTexts(block, bytes);
    return true;
  }

  #regionOf(block: number, column: Column): Region {
    return (this.#keys.blocks[block] as BlockLayout).regions[column];
  }

  #blockRows(block: number): number {
    return (this.#keys.blocks[block] as BlockLayout).rows;
  }

  /** Lets go of what was kept. */
  release(): void {
    const { budget } = this.#place.space;
    for (const held of [...this.#columns.values(), ...this.#texts.values()]) budget.drop(held);
    this.#columns.clear();
    this.#texts.clear();
  }
}

interface VectorPlace {
  row: number;
  block: number;
  /** In its block. */
  index: number;
  /** Bytes of the file. */
  start: number;
  end: number;
}

/** In groups that are near each other in the file, each in ascending order. */
function joined<Place extends VectorPlace>(places: readonly Place[]): Place[][] {
  const groups: Place[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const place of places.toSorted((a, b) => a.start - b.start)) {
    if (place.start - end <= joinedGap) groups.at(-1)?.push(place);
    else groups.push([place]);
    end = place.end;
  }
  return groups;
}
