import { formatBytes, formatSimilarity } from '../number-format.ts';
import { pictureOf } from '../picture-metadata.ts';
import { formatRoute, type PictureReference } from '../route.ts';
import type { QueryAnswer } from '../server.ts';
import { EnlargeIcon } from './icons.tsx';
import { Thumbnail } from './thumbnail.tsx';

export type Match = QueryAnswer['matches'][number];

interface Props {
  collection: string;
  matches: readonly Match[];
  /** What was searched with: the other side of a comparison. */
  query: PictureReference;
  /** Of the file searched with, to tell its exact copies. */
  sha256: string | undefined;
  onEnlarge: (id: string) => void;
}

/** Search results, nearest first: each can be enlarged beside the query, compared with it, or searched with. */
export function Gallery(props: Props) {
  const { collection, matches, query, sha256, onEnlarge } = props;
  return (
    <ol class="gallery">
      {matches.map((match) => {
        const picture = pictureOf(match.metadata);
        return (
          <li key={match.id} class="card">
            <button
              type="button"
              class="card-picture"
              aria-label={`Enlarge ${match.id}`}
              title="Enlarge beside the picture searched with"
              onClick={() => onEnlarge(match.id)}
            >
              <Thumbnail collection={collection} id={match.id} metadata={match.metadata} alt="" />
              <span class="card-enlarge">
                <EnlargeIcon />
              </span>
            </button>
            <span class="card-figures">
              <span class="similarity number">
                <span class="visually-hidden">Similarity </span>
                {formatSimilarity(match.similarity)}
              </span>
              {sha256 !== undefined && picture?.sha256 === sha256 && (
                <span class="badge good">same file</span>
              )}
            </span>
            <span class="similarity-bar" aria-hidden="true">
              <span style={{ width: `${Math.max(0, Math.min(1, match.similarity)) * 100}%` }} />
            </span>
            <span class="card-name small" title={match.id}>
              {match.id}
            </span>
            {picture && (
              <span class="small soft number">
                {picture.width} × {picture.height} · {formatBytes(picture.bytes)}
              </span>
            )}
            <span class="card-actions small">
              <a
                href={formatRoute({ view: 'compare', collection, a: query, b: { item: match.id } })}
                aria-label={`Compare with ${match.id}`}
              >
                Compare
              </a>
              <a
                href={formatRoute({ view: 'search', collection, a: { item: match.id } })}
                aria-label={`Search with it: ${match.id}`}
              >
                Search with it
              </a>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
