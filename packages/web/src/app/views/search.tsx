import { useCallback, useState } from 'preact/hooks';
import { modelOf, useApp } from '../app-context.ts';
import { describeExpectedFalseMatches } from '../calibration.ts';
import { AddPictures } from '../components/add-pictures.tsx';
import { Gallery } from '../components/gallery.tsx';
import { CloseIcon } from '../components/icons.tsx';
import { MatchViewer } from '../components/match-viewer.tsx';
import { PictureInput } from '../components/picture-input.tsx';
import { PicturePreview } from '../components/picture-preview.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { QueryStrip } from '../components/query-strip.tsx';
import { SimilaritySlider } from '../components/similarity-slider.tsx';
import { Thumbnail } from '../components/thumbnail.tsx';
import { keepPicture, mostAtOnce } from '../kept-pictures.ts';
import { formatPlural } from '../number-format.ts';
import type { ChosenFile } from '../picture-files.ts';
import { referenceKey, resolveReference } from '../picture-reference.ts';
import { formatRoute, type PictureReference } from '../route.ts';
import { server } from '../server.ts';
import { useLoad } from '../use-load.ts';
import { useLook } from '../use-look.ts';
import { useNavigation } from '../use-route.ts';

/** Nearest pictures fetched for one search at first; the threshold only divides them, so that the slider is instant. */
const firstTopK = 96;
const samplePage = 36;
/** Of those below the threshold, shown at first: enough to see whether the threshold is right. */
const firstRest = 12;
/** More are of no use to a person, and too many for a page; the slider and the API are the ways on. */
const mostItems = 2400;

export function SearchView() {
  const app = useApp();
  const { route, go } = useNavigation();
  const { collection } = app;

  const [leftOut, setLeftOut] = useState(0);

  /** The first one is shown; of the others of the same drop it is told whether there is something similar. */
  const searchWith = useCallback(
    async (files: ChosenFile[]) => {
      const ids: string[] = [];
      for (const chosen of files.slice(0, mostAtOnce)) ids.push(await keepPicture(chosen.file, chosen.path));
      const [kept] = ids;
      if (kept === undefined) return;
      setLeftOut(files.length - ids.length);
      const { among: _among, look: _look, ...rest } = route;
      go({ ...rest, view: 'search', a: { kept }, ...(ids.length > 1 && { among: ids }) });
    },
    [route, go],
  );

  if (!collection) return <Welcome missing={route.collection} />;
  if (route.a) {
    const key = `${collection.name} ${referenceKey(route.a)}`;
    const threshold = route.min ?? modelOf(app, collection)?.defaultThreshold ?? 0.5;
    return (
      <div class="stack">
        {route.among && (
          <QueryStrip
            key={collection.name}
            collection={collection.name}
            route={route}
            ids={route.among}
            threshold={threshold}
          />
        )}
        {route.among && leftOut > 0 && (
          <p class="notice warn">
            Only the first {mostAtOnce} are searched with. To look through more,{' '}
            <a href={formatRoute({ view: 'collections', collection: collection.name })}>add them</a> to a
            collection and find its duplicates.
          </p>
        )}
        <SearchResults key={key} reference={route.a} threshold={threshold} searchWith={searchWith} />
      </div>
    );
  }
  return <SearchStart key={collection.name} searchWith={searchWith} />;
}

/** The first minute: nothing is there yet. */
function Welcome(props: { missing: string | undefined }) {
  const app = useApp();
  return (
    <div class="welcome stack">
      {props.missing && app.collections.length > 0 ? (
        <>
          <h1>There is no collection “{props.missing}” yet</h1>
          <p class="soft">Choose another one above, or drop pictures here to make it.</p>
        </>
      ) : (
        <>
          <h1>Find pictures that look alike</h1>
          <p class="soft">
            Start with a folder of pictures: copies, crops, recompressions and recolourings of one picture end
            up side by side. They are read by this server and go nowhere else; it keeps what it saw in them
            and small previews, not the pictures.
          </p>
        </>
      )}
      <AddPictures collection={props.missing ?? 'photos'} />
      <p class="soft small">Or from a terminal:</p>
      <code class="command">
        npx lookalike ingest &lt;folder&gt; --collection {props.missing ?? 'photos'}
      </code>
    </div>
  );
}

function SearchStart(props: { searchWith: (files: ChosenFile[]) => void }) {
  const app = useApp();
  const name = app.collection?.name ?? '';
  const model = modelOf(app, app.collection);
  const [count, setCount] = useState(samplePage);
  const sample = useLoad(
    name,
    (signal) => server.listItemsPage(name, { pageSize: count, signal }),
    `${app.writes} ${count}`,
  );
  const empty = sample.state === 'ready' && sample.value.items.length === 0;

  if (empty) {
    return (
      <div class="welcome stack">
        <h1>“{name}” is empty</h1>
        <p class="soft">Add pictures to have something to find.</p>
        <AddPictures collection={name} />
        <p class="soft small">Or from a terminal:</p>
        <code class="command">npx lookalike ingest &lt;folder&gt; --collection {name}</code>
      </div>
    );
  }
  return (
    <div class="stack">
      <h1>Find pictures that look alike</h1>
      {model ? (
        <PictureInput class="hero" label="Choose a picture" multiple wholePage onFiles={props.searchWith}>
          <p class="hero-title">Drop or paste a picture here</p>
          <p class="soft">
            to see the nearest ones in “{name}”, or several to see which of them it has already. They are not
            stored.
          </p>
        </PictureInput>
      ) : (
        <p class="notice">
          {app.collection?.encoder
            ? `“${name}” was made with the encoder ${app.collection.encoder.name}, which this server does not have: search with one of its pictures.`
            : `“${name}” holds vectors, not pictures: search with one of its items.`}
        </p>
      )}
      {sample.state === 'failed' && <ProblemNotice error={sample.error} retry={sample.reload} />}
      {sample.value && (
        <section class="stack" aria-labelledby="sample-title">
          <div class="row between">
            <h2 id="sample-title">Or start from one of these</h2>
            {model && (
              <a class="button small" href={formatRoute({ view: 'collections', collection: name })}>
                Add pictures
              </a>
            )}
          </div>
          <ul class="gallery small-cards">
            {sample.value.items.map((item) => (
              <li key={item.id} class="card">
                <a
                  class="card-link"
                  href={formatRoute({ view: 'search', collection: name, a: { item: item.id } })}
                >
                  <Thumbnail collection={name} id={item.id} metadata={item.metadata} alt="" />
                  <span class="card-name small">{item.id}</span>
                </a>
              </li>
            ))}
          </ul>
          {sample.value.cursor && count < mostItems && (
            <div>
              <button
                type="button"
                class="button"
                disabled={sample.state === 'loading'}
                onClick={() => setCount(Math.min(mostItems, 4 * count))}
              >
                Show more
              </button>
            </div>
          )}
        </section>
      )}
    </div>
  );
}

function SearchResults(props: {
  reference: PictureReference;
  threshold: number;
  searchWith: (files: ChosenFile[]) => void;
}) {
  const { reference, threshold, searchWith } = props;
  const app = useApp();
  const { adjust } = useNavigation();
  const look = useLook();
  const name = app.collection?.name ?? '';
  const model = modelOf(app, app.collection);
  const key = `${name} ${referenceKey(reference)}`;
  const referred = useLoad(key, () => resolveReference(reference));
  const [topK, setTopK] = useState(firstTopK);
  const [restShown, setRestShown] = useState(firstRest);
  const stats = useLoad(name, (signal) => server.stats(name, { signal }), app.writes);
  const search = async (signal: AbortSignal) => {
    const picture = await resolveReference(reference);
    const query = picture.kind === 'item' ? { id: picture.id } : { picture: picture.picture.blob };
    return server.query(name, { ...query, topK }, { signal });
  };
  const answer = useLoad(key, search, `${app.writes} ${topK}`);
  const thresholds = model?.thresholds ?? [];
  const matches = answer.value?.matches ?? [];
  const near = matches.filter((match) => match.similarity >= threshold);
  const rest = matches.slice(near.length);
  const looked = matches.findIndex((match) => match.id === look.id);
  const more = near.length >= topK ? 'or more ' : '';
  const heading =
    near.length === 0 ? 'Nothing this similar' : formatPlural(near.length, `${more}similar picture`);

  return (
    <div class="search">
      <section class="query panel stack" aria-label="What is searched with">
        <div class="query-picture">
          {referred.value?.kind === 'item' && (
            <Thumbnail collection={name} id={referred.value.id} alt={referred.value.id} />
          )}
          {referred.value?.kind === 'kept' && <PicturePreview picture={referred.value.picture} />}
          <a
            class="button round query-clear"
            href={formatRoute({ view: 'search', collection: name })}
            aria-label="Clear the picture"
          >
            <CloseIcon />
          </a>
        </div>
        {referred.value && (
          <p class="query-name small">
            {referred.value.kind === 'item' ? referred.value.id : referred.value.picture.name}
          </p>
        )}
        {model && (
          <PictureInput class="compact" label="Another picture" multiple wholePage onFiles={searchWith} />
        )}
        <SimilaritySlider
          value={threshold}
          onInput={(min) => adjust({ min })}
          thresholds={thresholds}
          standard={model?.defaultThreshold}
          expected={describeExpectedFalseMatches(threshold, thresholds, stats.value?.items ?? 0)}
        />
      </section>
      <div class="results stack">
        <div role="status">
          <h1>{answer.value ? heading : answer.state === 'failed' ? 'No answer' : 'Searching …'}</h1>
        </div>
        {answer.state === 'failed' && <ProblemNotice error={answer.error} retry={answer.reload} />}
        {answer.value && (
          <>
            {answer.value.picture?.lowInformation && (
              <p class="notice warn">This picture is blank or nearly so: what is near to it says little.</p>
            )}
            {near.length === 0 && (
              <p class="soft">
                {rest.length === 0
                  ? 'The collection holds nothing else.'
                  : 'The nearest ones are below; move the slider to let them in.'}
              </p>
            )}
            <Gallery
              collection={name}
              matches={near}
              query={reference}
              sha256={answer.value.picture?.sha256}
              onEnlarge={look.open}
            />
            {matches.length >= topK && topK < mostItems && rest.length === 0 && (
              <div>
                <button
                  type="button"
                  class="button"
                  disabled={answer.state === 'loading'}
                  onClick={() => setTopK(Math.min(mostItems, 5 * topK))}
                >
                  Show more
                </button>
              </div>
            )}
            {rest.length > 0 && (
              <section class="stack rest" aria-labelledby="rest-title">
                <h2 id="rest-title" class="soft">
                  Next nearest, probably other pictures
                </h2>
                <Gallery
                  collection={name}
                  matches={rest.slice(0, restShown)}
                  query={reference}
                  sha256={undefined}
                  onEnlarge={look.open}
                />
                {restShown < rest.length && (
                  <div>
                    <button
                      type="button"
                      class="button"
                      onClick={() => setRestShown(restShown + 4 * firstRest)}
                    >
                      Show more
                    </button>
                  </div>
                )}
              </section>
            )}
            {looked >= 0 && referred.value && (
              <MatchViewer
                collection={name}
                matches={matches}
                index={looked}
                query={reference}
                referred={referred.value}
                threshold={threshold}
                onLook={look.open}
                onClose={look.close}
              />
            )}
          </>
        )}
      </div>
    </div>
  );
}
