import { useEffect, useState } from 'preact/hooks';
import { findKeptPicture, type KeptPicture } from '../kept-pictures.ts';
import { formatCount, formatPlural, formatSimilarity } from '../number-format.ts';
import { formatRoute, type Route } from '../route.ts';
import { server } from '../server.ts';
import { PicturePreview } from './picture-preview.tsx';

interface Nearest {
  picture?: KeptPicture | undefined;
  /** Of the nearest in the collection, 0 where it is empty; missing until the answer is here. */
  similarity?: number;
  /** Why there is no answer. */
  problem?: string;
}

/**
 * Pictures that were dropped together: of each, whether the collection has it already. One search after the other, as
 * the one that is shown in full comes first.
 */
export function QueryStrip(props: {
  collection: string;
  route: Route;
  ids: readonly string[];
  threshold: number;
}) {
  const { collection, route, ids, threshold } = props;
  const [nearest, setNearest] = useState<ReadonlyMap<string, Nearest>>(new Map());
  const key = ids.join(' ');
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const note = (id: string, found: Nearest) => {
      if (!signal.aborted) setNearest((all) => new Map(all).set(id, found));
    };
    const look = async () => {
      const pictures = new Map<string, KeptPicture>();
      for (const id of ids) {
        const picture = await findKeptPicture(id);
        if (picture) pictures.set(id, picture);
        note(id, picture ? { picture } : { problem: 'no longer in this browser' });
      }
      for (const [id, picture] of pictures) {
        try {
          const { matches } = await server.query(collection, { picture: picture.blob, topK: 1 }, { signal });
          note(id, { picture, similarity: matches[0]?.similarity ?? 0 });
        } catch (error) {
          note(id, { picture, problem: error instanceof Error ? error.message : String(error) });
        }
      }
    };
    void look();
    return () => controller.abort();
  }, [collection, key]);

  const answers = ids.map((id) => nearest.get(id));
  const answered = answers.filter((one) => one?.similarity !== undefined || one?.problem !== undefined);
  const known = answers.filter((one) => (one?.similarity ?? -1) >= threshold);
  const current = route.a && 'kept' in route.a ? route.a.kept : undefined;
  return (
    <section class="stack strip" aria-label="Your pictures">
      <p role="status">
        <strong>
          {formatCount(known.length)} of {formatPlural(ids.length, 'picture')}
        </strong>{' '}
        <span class="soft">
          {known.length === 1 ? 'has' : 'have'} something similar in “{collection}”
          {answered.length < ids.length && `; looked for ${formatCount(answered.length)} so far`}
        </span>
      </p>
      <ul class="strip-pictures">
        {ids.map((id, index) => {
          const { picture, similarity, problem } = answers[index] ?? {};
          const isKnown = similarity !== undefined && similarity >= threshold;
          return (
            <li key={id}>
              <a
                class="strip-picture"
                href={formatRoute({ ...route, a: { kept: id } })}
                aria-current={id === current ? 'true' : undefined}
                title={problem ?? picture?.name}
              >
                {picture ? <PicturePreview picture={picture} small /> : <span class="preview" />}
                {problem !== undefined && <span class="badge bad">problem</span>}
                {similarity !== undefined && (
                  <span class={`badge ${isKnown ? 'good' : ''}`}>
                    {isKnown ? 'similar' : 'new'}
                    <span class="number">&nbsp;{formatSimilarity(similarity)}</span>
                  </span>
                )}
                {problem === undefined && similarity === undefined && <span class="badge">…</span>}
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
