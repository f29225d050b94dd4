import type { LiveSegment } from './head-state.ts';

/** Segments of one level differ in size by less than this; so many of a level are merged. */
const fanOut = 4;
/** Rows of the lowest level. */
const base = 4096;
/** Share of dead rows from which a segment is made anew by itself. */
const maxDeadShare = 0.25;

/**
 * Groups of segments to merge, none in two groups: levels by live rows, each four times the one before, so that a row is
 * copied once a level. Segments whose rows are mostly alive and which are as large as they may be are left alone.
 */
export function chooseMerges(segments: readonly LiveSegment[], maxRows: number): LiveSegment[][] {
  const merges: LiveSegment[][] = [];
  const levels = new Map<number, LiveSegment[]>();
  for (const live of segments) {
    const rows = live.segment.rows - live.deadCount;
    if (rows > maxRows / 2 || live.deadCount > maxDeadShare * live.segment.rows) {
      if (live.deadCount > maxDeadShare * live.segment.rows) merges.push([live]);
      continue;
    }
    const level = rows <= base ? 0 : 1 + Math.floor(Math.log(rows / base) / Math.log(fanOut));
    const known = levels.get(level);
    if (known === undefined) levels.set(level, [live]);
    else known.push(live);
  }
  for (const level of levels.values()) {
    if (level.length < fanOut) continue;
    const group: LiveSegment[] = [];
    let rows = 0;
    for (const live of level) {
      rows += live.segment.rows - live.deadCount;
      if (rows > maxRows) break;
      group.push(live);
    }
    if (group.length > 1) merges.push(group);
  }
  return merges;
}
