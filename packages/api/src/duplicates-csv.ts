import type { DuplicateGroup } from './schemas.ts';

/**
 * RFC 4180. A cell that a spreadsheet would run as a formula gets an apostrophe in front, as ids may come from anybody.
 */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** One row an item; the one to keep is the first of its group. */
export function csvOf(groups: readonly DuplicateGroup[]): string {
  const rows = groups.flatMap(({ keep, reason, items }) =>
    items.map(({ id, kind, similarity, by }) =>
      [keep, id, id === keep ? 'keep' : 'duplicate', kind, similarity, id === keep ? reason : '', by ?? '']
        .map(cell)
        .join(','),
    ),
  );
  return [['group', 'id', 'role', 'kind', 'similarity', 'reason', 'by'].join(','), ...rows, ''].join('\r\n');
}
