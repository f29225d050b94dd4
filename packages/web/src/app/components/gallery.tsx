import { formatBytes, formatSimilarity } from '../number-format.ts';
import { pictureOf } from '../picture-metadata.ts';
import { formatRoute, type PictureReference } from '../route.ts';
import type { QueryAnswer } from '../server.ts';
import { Thumbnail } from './thumbnail.tsx';

interface Props {
  collection: string;
  matches: QueryAnswer['matches'];
  /** What was searched with: the other side of a comparison. */
  query: PictureReference;
  /** Of the file searched with, to tell its exact copies. */
  sha256: string | undefined;
}

/** Search results, nearest first: each picture leads to its own neighbours, and to a comparison with the query. */
export function Gallery(props: Props) {
  const { collection, matches, query, sha256 } = props;
  return (
    <ol class="gallery">
      {matches.map((match) => {
        const picture = pictureOf(match.metadata);
        return (
          <li key={match.id} class="card">
            <a class="card-link" href={formatRoute({ view: 'search', collection, a: { item: match.id } })}>
              <Thumbnail collection={collection} id={match.id} metadata={match.metadata} alt="" />
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
              <span class="card-name small">{match.id}</span>
              {picture && (
                <span class="small soft number">
                  {picture.width} × {picture.height} · {formatBytes(picture.bytes)}
                </span>
              )}
            </a>
            <a
              class="card-compare small"
              href={formatRoute({ view: 'compare', collection, a: query, b: { item: match.id } })}
              aria-label={`Compare with ${match.id}`}
            >
              Compare
            </a>
          </li>
        );
      })}
    </ol>
  );
}
