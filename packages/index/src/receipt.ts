import type { QueryReceipt } from './engine.ts';
import type { HeadState } from './head-state.ts';
import type { Meter } from './meter.ts';
import type { SearchTrace } from './search.ts';

/** What `explain` answers. `syncCost`: of finding the newest state; `meter`: of that and all the rest. */
export function receipt(
  { version, tail }: HeadState,
  trace: SearchTrace,
  meter: Meter,
  syncCost: Meter,
  milliseconds: Record<string, number>,
): QueryReceipt {
  return {
    version,
    exact: trace.exact,
    warm: syncCost.requests <= 1 && meter.requests === syncCost.requests,
    segments: trace.segments,
    rowsScanned: trace.rowsScanned,
    tailRows: tail.live.size,
    store: meter,
    milliseconds,
  };
}
