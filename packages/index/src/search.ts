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
/** Rows of the flat scan that one candidate of the graph search costs, roughly: measured 100-300, from 20,000 to a million rows. */
const rowsPerGraphStep = 100;
/** What one row among others that do not count costs, in rows that follow each other: memory is not read ahead of it. */
const rowsPerScattered = 10;
/** Rows that do not count and are passed by in the time of one that does. */
const rowsPassedBy = 32;
/** Errors of estimates, in standard deviations, that count as likely: with coarse codes of a million clustered rows 1.5 gave recall 0.991, 2 gave 1. */
const likelyErrors = 2;
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
    await segment.traffic.run(() => searchCodes(search, coarse, complete, meter, trace));
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
  const flat = Math.min(segment.rows, rowsPerScattered * selected + segment.rows / rowsPassedBy);
  return candidatesOf(request, selected / segment.rows) * rowsPerGraphStep < flat;
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
  await offer(
    search,
    found.slice(0, wanted).map((row) => ({ row })),
    meter,
  );
  trace.exact = false;
  trace.rowsScanned += ef;
  return true;
}

/** By estimates from codes of either kind, and the true distances of the best of them. */
async function searchCodes(
  search: SegmentSearch,
  codes: CodeFile,
  complete: boolean,
  meter: Meter,
  trace: SearchTrace,
): Promise<void> {
  const { request, live, rows, selected, metric } = search;
  const { vector, nearest } = request;
  const { segment } = live;
  const squaredNorm = dotAt(vector, vector, 0);
  trace.rowsScanned += segment.rows;
  if (metric === 'l1') {
    const limit = nearest.limit * l1Oversampling + 50;
    const found = codes.search('l2', vector, rows, limit, Number.NEGATIVE_INFINITY);
    const coded = await offerUncoded(search, codes, found, meter);
    await offer(search, coded.slice(0, limit), meter);
    if (selected > limit) trace.exact = false;
    return;
  }
  // The worst score that can still matter.
  const minScore = () => scoreOf(metric, nearest.bound, squaredNorm);
  const budget = complete ? Number.POSITIVE_INFINITY : 4 * nearest.limit + 64;
  let remaining = codes.bounded
    ? codes.search(metric, vector, rows, nearest.limit, minScore())
    : codes.search(metric, vector, rows, budget, Number.NEGATIVE_INFINITY);
  if (!codes.bounded && selected > remaining.length) trace.exact = false;
  remaining = await offerUncoded(search, codes, remaining, meter);
  // Where a row costs a request, those are left out that the estimates, as wrong as they were so far, all but exclude; elsewhere all
  // but those that are excluded by proof.
  const frugal = !complete && segment.resident.ifLoaded() === undefined && !(await segment.content.isLocal());
  let rescored = 0;
  let squaredErrors = 0;
  // A few more than wanted nearly always hold the answer; what is left then is proof, or the doubt that estimates leave.
  let part = Math.min(1024, nearest.limit + (frugal ? 6 : 32));
  while (remaining.length > 0) {
    const now = remaining.slice(0, part);
    const distances = await offer(search, now, meter);
    for (const [i, { score }] of now.entries())
      squaredErrors += (scoreOf(metric, distances[i] as number, squaredNorm) - score) ** 2;
    rescored += now.length;
    const reach = minScore();
    remaining = remaining.slice(part).filter(({ score, bound }) => score + bound >= reach);
    part = Math.min(1024, part * 2, budget - rescored);
    if (frugal) {
      const likely = reach - likelyErrors * Math.sqrt(squaredErrors / rescored);
      const unlikely = remaining.findIndex(({ score }) => score < likely);
      if (unlikely >= 0) part = Math.min(part, unlikely);
    }
    if (remaining.length > 0 && part <= 0) {
      trace.exact = false;
      return;
    }
  }
}

/** Offers those of which the codes tell nothing; the others are the answer. */
async function offerUncoded(
  search: SegmentSearch,
  codes: CodeFile,
  found: CodeCandidate[],
  meter: Meter,
): Promise<CodeCandidate[]> {
  // Of codes without bounds all have one.
  if (!codes.bounded) return found;
  const isCoded = ({ bound }: CodeCandidate) => bound < Number.POSITIVE_INFINITY;
  if (found.every(isCoded)) return found;
  await offer(
    search,
    found.filter((candidate) => !isCoded(candidate)),
    meter,
  );
  return found.filter(isCoded);
}

/** Rows as they are, one after the other: the truth, slowly. */
async function scanVectors(
  { request, live, rows, distanceTo }: SegmentSearch,
  meter: Meter,
  trace: SearchTrace,
) {
  const { nearest } = request;
  const { segment } = live;
  const resident = segment.resident.ifLoaded();
  const blocks = resident
    ? [{ first: 0, rows: segment.rows, vectors: resident.vectors }]
    : segment.content.vectorBlocks(meter);
  for await (const block of blocks) {
    const dimension = block.vectors.length / block.rows;
    for (let i = 0; i < block.rows; i++) {
      const row = block.first + i;
      if (!hasBit(rows, row)) continue;
      trace.rowsScanned++;
      const distance = distanceTo(block.vectors.subarray(i * dimension, (i + 1) * dimension));
      if (distance <= nearest.bound) nearest.offer({ distance, id: segment.keys.id(row), source: live, row });
    }
  }
}

/** Offers rows to the nearest; their true distances. */
async function offer(
  search: SegmentSearch,
  candidates: readonly { row: number }[],
  meter: Meter,
): Promise<number[]> {
  const { request, live, distanceTo } = search;
  const { nearest } = request;
  const rows = candidates.map(({ row }) => row);
  const resident = live.segment.resident.ifLoaded();
  const distances =
    resident === undefined
      ? (await live.segment.content.vectors(rows, meter)).map(distanceTo)
      : residentDistances(search, resident, rows);
  for (const [i, row] of rows.entries()) {
    const distance = distances[i] as number;
    if (distance <= nearest.bound)
      nearest.offer({ distance, id: live.segment.keys.id(row), source: live, row });
  }
  return distances;
}

function residentDistances(
  { request, metric }: SegmentSearch,
  { vectors, squaredNorms }: VectorsInMemory,
  rows: readonly number[],
): number[] {
  const { vector } = request;
  const { length } = vector;
  if (metric === 'l2') return rows.map((row) => l2At(vector, vectors, row * length));
  if (metric === 'l1') return rows.map((row) => l1At(vector, vectors, row * length));
  const squaredNorm = dotAt(vector, vector, 0);
  return rows.map((row) =>
    cosineDistance(dotAt(vector, vectors, row * length), squaredNorm, squaredNorms[row] as number),
  );
}

/** As `distance`, of one vector to many. */
function distanceFunction(metric: Metric, query: Float32Array): (vector: Float32Array) => number {
  if (metric === 'l2') return (vector) => l2At(query, vector, 0);
  if (metric === 'l1') return (vector) => l1At(query, vector, 0);
  const squaredNorm = dotAt(query, query, 0);
  return (vector) => cosineDistance(dotAt(query, vector, 0), squaredNorm, dotAt(vector, vector, 0));
}
