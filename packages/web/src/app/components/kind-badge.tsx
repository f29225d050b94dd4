import { formatSimilarity } from '../number-format.ts';
import type { DuplicateItem } from '../server.ts';

export const kinds: Record<DuplicateItem['kind'], { label: string; tone: string; title: string }> = {
  exact: { label: 'exact', tone: 'good', title: 'The same bytes as the one to keep' },
  pixels: { label: 'pixels', tone: 'info', title: 'The same pixels as the one to keep, in another file' },
  near: { label: 'near', tone: 'warn', title: 'A near-duplicate of the one to keep' },
};

/** How a picture relates to the one to keep; without a similarity where that one was not the proposed one before. */
export function KindBadge(props: { kind: DuplicateItem['kind']; similarity: number | undefined }) {
  const { label, tone, title } = kinds[props.kind];
  return (
    <span class={`badge ${tone}`} title={title}>
      {label}
      {props.similarity !== undefined && (
        <span class="number">&nbsp;{formatSimilarity(props.similarity)}</span>
      )}
    </span>
  );
}
