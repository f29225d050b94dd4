import { allBits, type Bits, emptyBits, without } from './bits.ts';
import type { Filter } from './filter.ts';
import { valueTest } from './filter-match.ts';
import type { LiveSegment } from './head-state.ts';
import type { Meter } from './meter.ts';
import type { Segment } from './segment.ts';

/** Selections kept a segment: a filter is seldom used once. */
const keptSelections = 16;
const selections = new WeakMap<Segment, Map<string, Bits>>();
const living = new WeakMap<LiveSegment, Bits>();

/** The live rows of a segment that a filter, if any, lets through. Not to be changed. */
export async function selectRows(live: LiveSegment, filter: Filter | undefined, meter: Meter): Promise<Bits> {
  if (filter !== undefined) return without(await filterRows(live.segment, filter, meter), live.dead);
  let rows = living.get(live);
  if (rows === undefined) {
    rows = without(allBits(live.segment.rows), live.dead);
    living.set(live, rows);
  }
  return rows;
}

/** The rows, dead ones too, that a filter lets through. */
async function filterRows(segment: Segment, filter: Filter, meter: Meter): Promise<Bits> {
  let known = selections.get(segment);
  if (known === undefined) {
    known = new Map();
    selections.set(segment, known);
  }
  const text = JSON.stringify(filter);
  const rows = known.get(text) ?? (await evaluate(segment, filter, meter));
  known.delete(text);
  known.set(text, rows);
  for (const oldest of known.keys()) {
    if (known.size <= keptSelections) break;
    known.delete(oldest);
  }
  return rows;
}

async function evaluate(segment: Segment, filter: Filter, meter: Meter): Promise<Bits> {
  if ('not' in filter) return without(allBits(segment.rows), await evaluate(segment, filter.not, meter));
  if ('and' in filter || 'or' in filter) {
    const all = 'and' in filter;
    const result = all ? allBits(segment.rows) : emptyBits(segment.rows);
    for (const part of all ? filter.and : filter.or) {
      const rows = await evaluate(segment, part, meter);
      for (let i = 0; i < result.length; i++)
        result[i] = all
          ? (result[i] as number) & (rows[i] as number)
          : (result[i] as number) | (rows[i] as number);
    }
    return result;
  }
  const column = await segment.content.column(filter.field, meter);
  return column.select(valueTest(filter));
}
