import { csvCell } from '@lookalike/duplicates/csv';
import type { DuplicateGroup } from './schemas.ts';

/** One row an item; the one to keep is the first of its group. */
export function csvOf(groups: readonly DuplicateGroup[]): string {
  const rows = groups.flatMap(({ keep, reason, items }) =>
    items.map(({ id, kind, similarity, by }) =>
      [keep, id, id === keep ? 'keep' : 'duplicate', kind, similarity, id === keep ? reason : '', by ?? '']
        .map(csvCell)
        .join(','),
    ),
  );
  return [['group', 'id', 'role', 'kind', 'similarity', 'reason', 'by'].join(','), ...rows, ''].join('\r\n');
}
