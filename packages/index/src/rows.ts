import { compareUtf8 } from '@lookalike/store';
import { countBits, hasBit } from './bits.ts';
import type { Metadata } from './engine.ts';
import type { HeadState } from './head-state.ts';
import type { Meter } from './meter.ts';
import type { CheckedFilter } from './query-check.ts';
import { randomNumbers } from './random.ts';
import type { Source } from './search.ts';
import { selectRows } from './segment-filter.ts';
import { Tail } from './tail.ts';

/** A live row of a state. */
export interface Located {
  source: Source;
  row: number;
}

export interface RowContent {
  metadata?: Metadata;
  vector?: Float32Array;
}

/** What is wanted of rows, fetched a source at a time; in the order given. */
export async function readRows(
  rows: readonly Located[],
  include: { metadata: boolean; vector: boolean },
  meter: Meter,
): Promise<RowContent[]> {
  const contents: RowContent[] = rows.map(() => ({}));
  if (!include.metadata && !include.vector) return contents;
  const bySource = new Map<Source, number[]>();
  for (const [i, { source }] of rows.entries()) {
    const known = bySource.get(source);
    if (known === undefined) bySource.set(source, [i]);
    else known.push(i);
  }
  for (const [source, positions] of bySource) {
    const wanted = positions.map((i) => (rows[i] as Located).row);
    const texts = include.metadata ? await metadataOf(source, wanted, meter) : undefined;
    const vectors = include.vector ? await vectorsOf(source, wanted, meter) : undefined;
    for (const [k, i] of positions.entries()) {
      const content = contents[i] as RowContent;
      if (texts !== undefined) content.metadata = JSON.parse(texts[k] as string);
      if (vectors !== undefined) content.vector = vectors[k] as Float32Array;
    }
  }
  return contents;
}

function metadataOf(source: Source, rows: readonly number[], meter: Meter): string[] | Promise<string[]> {
  if (source instanceof Tail) return rows.map((row) => source.metadata[row] as string);
  return source.segment.content.metadata(rows, meter);
}

export function vectorsOf(
  source: Source,
  rows: readonly number[],
  meter: Meter,
): Float32Array[] | Promise<Float32Array[]> {
  if (source instanceof Tail) return rows.map((row) => source.vector(row).slice());
  return source.segment.content.vectors(rows, meter);
}

export function rowVersion({ source, row }: Located): number {
  return (source instanceof Tail ? source.versions[row] : source.segment.keys.versions[row]) as number;
}

function idOf({ source, row }: Located): string {
  return source instanceof Tail ? (source.ids[row] as string) : source.segment.keys.id(row);
}

/** Live rows in ascending order of id, after an id. */
export async function* rowsInOrder(
  state: HeadState,
  after: string | undefined,
  filter: CheckedFilter | undefined,
  meter: Meter,
): AsyncGenerator<Located & { id: string }> {
  const { tail, version } = state;
  const streams: Iterator<Located>[] = [tailRows(tail, version, after, filter)];
  for (const live of state.segments) {
    const rows = await selectRows(live, filter?.filter, meter);
    const { keys } = live.segment;
    let first = after === undefined ? 0 : keys.firstAtOrAfter(after);
    if (after !== undefined && first < keys.count && keys.id(first) === after) first++;
    streams.push(
      (function* () {
        for (let row = first; row < keys.count; row++) if (hasBit(rows, row)) yield { source: live, row };
      })(),
    );
  }
  const heads: { id: string; located: Located; stream: Iterator<Located> }[] = [];
  const advance = (stream: Iterator<Located>) => {
    const { value, done } = stream.next();
    if (!done) heads.push({ id: idOf(value), located: value, stream });
  };
  for (const stream of streams) advance(stream);
  while (heads.length > 0) {
    let first = 0;
    for (let i = 1; i < heads.length; i++)
      if (compareUtf8((heads[i] as { id: string }).id, (heads[first] as { id: string }).id) < 0) first = i;
    const [head] = heads.splice(first, 1);
    if (head === undefined) return;
    yield { id: head.id, ...head.located };
    advance(head.stream);
  }
}

function* tailRows(
  tail: Tail,
  version: number,
  after: string | undefined,
  filter: CheckedFilter | undefined,
): Generator<Located> {
  for (const row of tail.rowsAfter(after))
    if (tail.isLive(row, version) && (filter === undefined || filter.test(tail.parsedMetadata(row))))
      yield { source: tail, row };
}

/** How many live rows a filter lets through. */
export async function countRows(
  state: HeadState,
  filter: CheckedFilter | undefined,
  meter: Meter,
): Promise<number> {
  if (filter === undefined) return state.items;
  const { tail, version } = state;
  let count = 0;
  for (let row = 0; row < tail.count; row++)
    if (tail.isLive(row, version) && filter.test(tail.parsedMetadata(row))) count++;
  for (const live of state.segments) count += countBits(await selectRows(live, filter.filter, meter));
  return count;
}

/** Ids of live rows drawn at random, without repetition: `count`, or all where there are fewer. */
export function sampleIds(state: HeadState, count: number, seed: number): string[] {
  const { tail, version, segments } = state;
  const random = randomNumbers(seed);
  const total = tail.count + segments.reduce((sum, { segment }) => sum + segment.rows, 0);
  const pick = (number: number): string | undefined => {
    let at = number;
    for (const { segment, dead } of segments) {
      if (at < segment.rows) return hasBit(dead, at) ? undefined : segment.keys.id(at);
      at -= segment.rows;
    }
    return tail.isLive(at, version) ? tail.ids[at] : undefined;
  };
  const chosen = new Set<string>();
  const everything = count >= state.items || state.items < total / 50;
  for (let i = 0; chosen.size < count && (everything ? i < total : chosen.size < state.items); i++) {
    const id = pick(everything ? i : Math.floor(random() * total));
    if (id !== undefined) chosen.add(id);
  }
  return [...chosen];
}
