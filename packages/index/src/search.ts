import { type Bits, countBits, hasBit } from './bits.ts';
import type { CodeFile } from './code-file.ts';
import { type CodeCandidate, scoreOf } from './code-scan.ts';
import { cosineDistance, dotAt, l1At, l2At } from './distance.ts';
import type { Metric } from './engine.ts';
import type { HeadState, LiveSegment } from './head-state.ts';
import type { Meter } from './meter.ts';
import type { Nearest } from './nearest.ts';
import type { CheckedFilter } from './query-check.ts';
import type { VectorsInMemory } from './resident-vectors.ts';
import { selectRows } from './segment-filter.ts';
import type { Tail } from './tail.ts';

/** Where a row stands. */
export type Source = Tail | LiveSegment;

export interface RowSearch {
  vector: Float32Array;
  nearest: Nearest<Source>;
  /** Only rows written after this version; default 0, all. */
  since?: number;
  filter?: CheckedFilter | undefined;
  /** The true answer, proven. */
  exact: boolean;
  ef?: number | undefined;
}

/** How an answer came about. */
export interface SearchTrace {
  exact: boolean;
  rowsScanned: number;
  segments: { id: string; rows: number; way: 'graph' | 'flat' | 'exact' }[];
}

export const defaultEf = 96;
/** Rows of the flat scan that one candidate of the graph search costs, roughly: measured 30-60, in 128 and 256 dimensions. */
const rowsPerGraphStep = 40;
/** Rows, besides two for one wanted, whose estimates from coarse codes are looked into: measured, see test/bench/index-million.ts. */
const coarseCandidates = 64;
/** Rows reranked for one wanted, where l2 stands in for l1. */
const l1Oversampling = 10;

/** Offers the rows of a state that may be wanted to `nearest`. */
export async function search(state: HeadState, request: RowSearch, meter: Meter): Promise<SearchTrace> {
  const { vector, nearest, since = 0, filter } = request;
  const trace: SearchTrace = { exact: true, rowsScanned: 0, segments: [] };
  trace.rowsScanned += state.tail.search(vector, nearest, {
    version: state.version,
    since,
    filter: filter?.test,
  });
  if (since >= state.indexedVersion) return trace;
  const distanceTo = distanceFunction(state.info.metric, vector);
  for (const live of state.segments) {
    if (live.deadCount === live.segment.rows) continue;
    const rows = await selectRows(live, filter?.filter, meter);
    const selected = filter === undefined ? live.segment.rows - live.deadCount : countBits(rows);
    if (selected === 0) continue;
    const way = await searchSegment(
      { request, live, rows, selected, distanceTo, metric: state.info.metric },
      meter,
      trace,
    );
    trace.segments.push({ id: live.segment.descriptor.id, rows: live.segment.rows, way });
  }
  return trace;
}

interface SegmentSearch {
  request: RowSearch;
  live: LiveSegment;
  /** Live, and let through by the filter. */
  rows: Bits;
  selected: number;
  metric: Metric;
  distanceTo: (vector: Float32Array) => number;
}

async function searchSegment(
  search: SegmentSearch,
  meter: Meter,
  trace: SearchTrace,
): Promise<'graph' | 'flat' | 'exact'> {
  const { request, live, metric } = search;
  const { segment } = live;
  const complete = request.exact || request.nearest.limit === Number.POSITIVE_INFINITY;
  if (!complete && searchGraphFirst(search) && (await searchGraph(search, meter, trace))) return 'graph';
  const coarse = complete ? undefined : await segment.codes.coarse(meter);
  if (coarse !== undefined) {
    // The other codes, which come for the next answers, wait for the whole of this one.
    await segment.traffic.run(() => searchCoarse(search, coarse, meter, trace));
    return 'flat';
  }
  // Codes say nothing certain of l1.
  const codes = metric === 'l1' && complete ? undefined : await segment.codes.fine(meter);
  if (codes === undefined) {
    await scanVectors(search, meter, trace);
    return 'exact';
  }
  await searchCodes(search, codes, complete, meter, trace);
  return 'flat';
}

/** Whether the graph is likely cheaper; false also while it is not in memory. */
function searchGraphFirst({ request, live, selected }: SegmentSearch): boolean {
  const { segment } = live;
  if (segment.descriptor.files.graph === undefined) return false;
  return candidatesOf(request, selected / segment.rows) * rowsPerGraphStep < segment.rows;
}

/** Candidates to ask of the graph where only this share of its rows counts. */
function candidatesOf({ ef, nearest }: RowSearch, share: number): number {
  return Math.ceil(Math.max(ef ?? defaultEf, nearest.limit + 2) / share);
}

/** False where the graph is not in memory, or gave too few rows that count. */
async function searchGraph(search: SegmentSearch, meter: Meter, trace: SearchTrace): Promise<boolean> {
  const { request, live, rows, selected, metric } = search;
  const { vector, nearest } = request;
  const graph = live.segment.graph.ifLoaded();
  if (graph === undefined) return false;
  const all = selected === live.segment.rows;
  const ef = Math.min(graph.count, candidatesOf(request, selected / live.segment.rows));
  // Two more than wanted: the graph's float32 distances may differ from the true ones in the last digits.
  const wanted = (metric === 'l1' ? nearest.limit * l1Oversampling : nearest.limit) + 2;
  const nearby = graph.search(vector, ef, all ? wanted : ef);
  const found = all ? nearby : nearby.filter((row) => hasBit(rows, row));
  if (found.length < Math.min(nearest.limit, selected)) return false;
  await offer(search, found.slice(0, wanted), meter);
  trace.exact = false;
  trace.rowsScanned += ef;
  return true;
}

/** The best by estimate, as many as hold nearly always the answer. */
async function searchCoarse(
  search: SegmentSearch,
  codes: CodeFile,
  meter: Meter,
  trace: SearchTrace,
): Promise<void> {
  const { request, live, rows, selected, metric } = search;
  const { limit } = request.nearest;
  const candidates = metric === 'l1' ? limit * l1Oversampling + 50 : 2 * limit + coarseCandidates;
  const codeMetric = metric === 'l1' ? 'l2' : metric;
  const found = codes.search(codeMetric, request.vector, rows, candidates, Number.NEGATIVE_INFINITY);
  trace.rowsScanned += live.segment.rows;
  await offer(
    search,
    found.slice(0, candidates).map(({ row }) => row),
    meter,
  );
  if (selected > candidates) trace.exact = false;
}

async function searchCodes(
  search: SegmentSearch,
  codes: CodeFile,
  complete: boolean,
  meter: Meter,
  trace: SearchTrace,
): Promise<void> {
  const { request, live, rows, metric } = search;
  const { vector, nearest } = request;
  const codeMetric = metric === 'l1' ? 'l2' : metric;
  const squaredNorm = dotAt(vector, vector, 0);
  // The worst score that can still matter.
  const minScore = () =>
    metric === 'l1' ? Number.NEGATIVE_INFINITY : scoreOf(metric, nearest.bound, squaredNorm);
  const limit = metric === 'l1' ? nearest.limit * l1Oversampling + 50 : nearest.limit;
  const candidates = codes.search(codeMetric, vector, rows, limit, minScore());
  trace.rowsScanned += live.segment.rows;
  if (metric === 'l1') {
    await offer(
      search,
      candidates.slice(0, limit).map(({ row }) => row),
      meter,
    );
    trace.exact = false;
    return;
  }
  let remaining: CodeCandidate[] = candidates;
  // The estimates are good: a few more than wanted nearly always hold the answer. What is left then is proof.
  let rescored = 0;
  const budget = complete ? Number.POSITIVE_INFINITY : 4 * limit + 64;
  let part = limit === Number.POSITIVE_INFINITY ? 1024 : limit + 32;
  while (remaining.length > 0) {
    const now = remaining.slice(0, part);
    await offer(
      search,
      now.map(({ row }) => row),
      meter,
    );
    rescored += now.length;
    const reach = minScore();
    remaining = remaining.slice(part).filter(({ score, bound }) => score + bound >= reach);
    if (remaining.length > 0 && rescored >= budget) {
      trace.exact = false;
      return;
    }
    part = Math.min(1024, part * 2);
  }
}

/** Rows as they are, one after the other: the truth, slowly. */
async function scanVectors(
  { request, live, rows, distanceTo }: SegmentSearch,
  meter: Meter,
  trace: SearchTrace,
) {
  const { nearest } = request;
  for await (const block of live.segment.content.vectorBlocks(meter)) {
    const dimension = block.vectors.length / block.rows;
    for (let i = 0; i < block.rows; i++) {
      const row = block.first + i;
      if (!hasBit(rows, row)) continue;
      trace.rowsScanned++;
      const distance = distanceTo(block.vectors.subarray(i * dimension, (i + 1) * dimension));
      if (distance <= nearest.bound)
        nearest.offer({ distance, id: live.segment.keys.id(row), source: live, row });
    }
  }
}

async function offer(search: SegmentSearch, rows: readonly number[], meter: Meter): Promise<void> {
  const { request, live, distanceTo } = search;
  const { nearest } = request;
  const resident = live.segment.resident.ifLoaded();
  if (resident !== undefined) {
    offerResident(search, resident, rows);
    return;
  }
  const vectors = await live.segment.content.vectors(rows, meter);
  for (const [i, row] of rows.entries()) {
    const distance = distanceTo(vectors[i] as Float32Array);
    if (distance <= nearest.bound)
      nearest.offer({ distance, id: live.segment.keys.id(row), source: live, row });
  }
}

function offerResident(
  { request, live, metric }: SegmentSearch,
  { vectors, squaredNorms }: VectorsInMemory,
  rows: readonly number[],
): void {
  const { nearest, vector } = request;
  const squaredNorm = metric === 'cosine' ? dotAt(vector, vector, 0) : 0;
  for (const row of rows) {
    const offset = row * vector.length;
    const distance =
      metric === 'cosine'
        ? cosineDistance(dotAt(vector, vectors, offset), squaredNorm, squaredNorms[row] as number)
        : metric === 'l2'
          ? l2At(vector, vectors, offset)
          : l1At(vector, vectors, offset);
    if (distance <= nearest.bound)
      nearest.offer({ distance, id: live.segment.keys.id(row), source: live, row });
  }
}

/** As `distance`, of one vector to many. */
function distanceFunction(metric: Metric, query: Float32Array): (vector: Float32Array) => number {
  if (metric === 'l2') return (vector) => l2At(query, vector, 0);
  if (metric === 'l1') return (vector) => l1At(query, vector, 0);
  const squaredNorm = dotAt(query, query, 0);
  return (vector) => cosineDistance(dotAt(query, vector, 0), squaredNorm, dotAt(vector, vector, 0));
}
