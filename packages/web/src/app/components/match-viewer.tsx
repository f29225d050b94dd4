import { formatSimilarity } from '../number-format.ts';
import type { ReferredPicture } from '../picture-reference.ts';
import { formatRoute, type PictureReference } from '../route.ts';
import { DeleteItems } from './delete-items.tsx';
import type { Match } from './gallery.tsx';
import { PicturePreview } from './picture-preview.tsx';
import { Thumbnail } from './thumbnail.tsx';
import { Viewer } from './viewer.tsx';

interface Props {
  collection: string;
  matches: readonly Match[];
  /** Index of the enlarged one. */
  index: number;
  query: PictureReference;
  referred: ReferredPicture;
  threshold: number;
  onLook: (id: string) => void;
  onClose: () => void;
}

/** A search result beside what was searched with; the arrow keys go through the results. */
export function MatchViewer(props: Props) {
  const { collection, matches, index, query, referred, threshold, onLook, onClose } = props;
  const match = matches[index];
  if (!match) return null;
  const to = (next: number) => {
    const { id } = matches[next] ?? {};
    return id === undefined ? undefined : () => onLook(id);
  };
  const isNear = match.similarity >= threshold;
  return (
    <Viewer
      label={`${match.id}, enlarged`}
      beside={{
        role: <span class="badge">searched with</span>,
        name: referred.kind === 'item' ? referred.id : referred.picture.name,
        picture:
          referred.kind === 'item' ? (
            <Thumbnail collection={collection} id={referred.id} alt={referred.id} />
          ) : (
            <PicturePreview picture={referred.picture} />
          ),
      }}
      shown={{
        role: <span class={`badge ${isNear ? 'good' : ''}`}>{isNear ? 'similar' : 'next nearest'}</span>,
        name: match.id,
        picture: <Thumbnail collection={collection} id={match.id} metadata={match.metadata} alt={match.id} />,
        metadata: match.metadata,
      }}
      position={`${index + 1} of ${matches.length}`}
      onPrevious={to(index - 1)}
      onNext={to(index + 1)}
      onClose={onClose}
      actions={
        <>
          <a
            class="button small"
            href={formatRoute({ view: 'compare', collection, a: query, b: { item: match.id } })}
          >
            Compare
          </a>
          <a class="button small" href={formatRoute({ view: 'search', collection, a: { item: match.id } })}>
            Search with it
          </a>
          <DeleteItems collection={collection} ids={[match.id]} onDeleted={onClose} />
        </>
      }
    >
      <span class="similarity number">{formatSimilarity(match.similarity)}</span>{' '}
      <span class="soft">similarity</span>
    </Viewer>
  );
}
