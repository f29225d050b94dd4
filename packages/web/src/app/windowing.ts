export interface RowWindow {
  /** First row to render, inclusive, and the row after the last one. */
  start: number;
  end: number;
}

/**
 * The rows of one height that a viewport shows, with `overscan` rows on each side.
 * Lengths in pixels; `offset` is how far the list's top lies above the viewport's.
 */
export function visibleRows(list: {
  count: number;
  rowHeight: number;
  offset: number;
  viewport: number;
  overscan: number;
}): RowWindow {
  const first = Math.floor(list.offset / list.rowHeight) - list.overscan;
  const last = Math.ceil((list.offset + list.viewport) / list.rowHeight) + list.overscan;
  const clamp = (row: number) => Math.min(list.count, Math.max(0, row));
  return { start: clamp(first), end: clamp(last) };
}
