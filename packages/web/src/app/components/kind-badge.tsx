import type { ShownItem } from '../different-pictures.ts';
import { formatSimilarity } from '../number-format.ts';
import type { DuplicateItem } from '../server.ts';

const kinds: Record<DuplicateItem['kind'], { label: string; tone: string; title: string }> = {
  exact: { label: 'exact', tone: 'good', title: 'The same bytes as the one to keep' },
  pixels: { label: 'pixels', tone: 'info', title: 'The same pixels as the one to keep, in another file' },
  near: { label: 'near', tone: 'warn', title: 'A near-duplicate of the one to keep' },
};

/** How a picture relates to the one to keep; without a similarity where that one was not the proposed one before. */
export function KindBadge(props: { item: ShownItem }) {
  const { kind, similarity, by } = props.item;
  const { label, tone, title } = kinds[kind];
  const byHash = by === 'perceptual-hash';
  return (
    <span
      class={`badge ${tone}`}
      title={
        byHash ? 'Less similar than asked for, but laid out the same: its perceptual hash agrees' : title
      }
    >
      {byHash ? 'hash' : label}
      {kind === 'near' && similarity !== undefined && (
        <span class="number">&nbsp;{formatSimilarity(similarity)}</span>
      )}
    </span>
  );
}
