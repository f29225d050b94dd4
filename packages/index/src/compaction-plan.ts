import type { LiveSegment } from './head-state.ts';

/** Segments of one level differ in size by less than this; so many of a level are merged. */
const fanOut = 4;
/** Rows of the lowest level. */
const base = 4096;
/** Share of dead rows from which a segment is made anew by itself. */
const maxDeadShare = 0.25;

/**
 * Groups of segments to merge, none in two groups: levels by live rows, each four times the one before, so that a row is
 * copied once a level. Segments whose rows are mostly alive and which are as large as they may be are left alone, but for those that
 * wait for their graphs.
 */
export function chooseMerges(segments: readonly LiveSegment[], maxRows: number): LiveSegment[][] {
  const merges: LiveSegment[][] = [];
  const levels = new Map<number, LiveSegment[]>();
  for (const live of segments) {
    const rows = live.segment.rows - live.deadCount;
    const isMostlyDead = live.deadCount > maxDeadShare * live.segment.rows;
    if (rows > maxRows / 2 || isMostlyDead) {
      if (isMostlyDead || isPending(live)) merges.push([live]);
      continue;
    }
    const level = rows <= base ? 0 : 1 + Math.floor(Math.log(rows / base) / Math.log(fanOut));
    const known = levels.get(level);
    if (known === undefined) levels.set(level, [live]);
    else known.push(live);
  }
  for (const level of levels.values()) {
    if (level.length >= fanOut) merges.push(firstRows(level, maxRows));
    else if (level.some(isPending)) merges.push(firstRows(level.filter(isPending), maxRows));
  }
  return merges;
}

function isPending({ segment }: LiveSegment): boolean {
  return segment.descriptor.graphPending === true;
}

/** The first of them, at least one, that together have no more than `maxRows` live rows. */
function firstRows(segments: readonly LiveSegment[], maxRows: number): LiveSegment[] {
  let rows = 0;
  const fitting = segments.findIndex((live) => {
    rows += live.segment.rows - live.deadCount;
    return rows > maxRows;
  });
  return fitting < 0 ? [...segments] : segments.slice(0, Math.max(1, fitting));
}
