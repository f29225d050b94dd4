import { useState } from 'preact/hooks';
import { modelOf, useApp } from '../app-context.ts';
import { AddPictures } from '../components/add-pictures.tsx';
import { DeleteCollection } from '../components/delete-collection.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { formatBytes, formatCount, formatDuration, formatPlural } from '../number-format.ts';
import { formatRoute } from '../route.ts';
import { type Collection, type CollectionStats, type RecallReport, server } from '../server.ts';
import { useLoad } from '../use-load.ts';
import { useNavigation } from '../use-route.ts';

export function CollectionsView() {
  const app = useApp();
  const { route } = useNavigation();
  const { collection } = app;
  return (
    <div class="stack">
      <h1>Collections</h1>
      <div class="collections">
        <div class="stack">
          {app.collections.length > 0 && (
            <nav class="panel collection-list" aria-label="Collections">
              <ul>
                {app.collections.map((one) => (
                  <li key={one.name}>
                    <a
                      href={formatRoute({ view: 'collections', collection: one.name })}
                      aria-current={one.name === collection?.name ? 'true' : undefined}
                    >
                      <strong>{one.name}</strong>
                      <span class="small soft">{one.encoder?.name ?? `vectors of ${one.dimension}`}</span>
                    </a>
                  </li>
                ))}
              </ul>
            </nav>
          )}
          <CreateCollection />
        </div>
        {collection ? (
          <CollectionDetails key={collection.name} collection={collection} />
        ) : (
          <div class="stack">
            <p class="soft">
              A collection holds the pictures that are searched together. Drop some to make the first one, or
              give it a name and an encoder of your own.
            </p>
            <AddPictures
              collection={app.collections.length === 0 ? 'photos' : (route.collection ?? 'photos')}
            />
          </div>
        )}
      </div>
    </div>
  );
}

function CreateCollection() {
  const app = useApp();
  const { go } = useNavigation();
  const [name, setName] = useState('');
  const [model, setModel] = useState(app.defaultModel);
  const [error, setError] = useState<unknown>();
  const create = async (event: Event) => {
    event.preventDefault();
    setError(undefined);
    try {
      await server.createCollection(name, { model });
      setName('');
      app.reloadCollections();
      go({ view: 'collections', collection: name });
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <form class="panel stack" onSubmit={create}>
      <h2>New collection</h2>
      <label class="field">
        <span>Name</span>
        <input
          required
          maxLength={64}
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          title="Letters without accents, digits, ., _ and -, starting with a letter or digit"
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {app.models.length > 1 && (
        <label class="field">
          <span>Encoder</span>
          <select value={model} onChange={(event) => setModel(event.currentTarget.value)}>
            {app.models.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {error !== undefined && <ProblemNotice error={error} />}
      <button type="submit" class="button">
        Create
      </button>
    </form>
  );
}

function CollectionDetails(props: { collection: Collection }) {
  const { collection } = props;
  const app = useApp();
  const model = modelOf(app, collection);
  const stats = useLoad(collection.name, (signal) => server.stats(collection.name, { signal }), app.writes);
  return (
    <section class="stack" aria-labelledby="details-title">
      <div class="panel stack">
        <div class="row between">
          <h2 id="details-title">{collection.name}</h2>
          <div class="row">
            <a class="button small" href={formatRoute({ view: 'search', collection: collection.name })}>
              Search it
            </a>
            <button type="button" class="button quiet small" onClick={stats.reload}>
              Refresh
            </button>
            {stats.value && <DeleteCollection name={collection.name} items={stats.value.items} />}
          </div>
        </div>
        {stats.state === 'failed' && <ProblemNotice error={stats.error} retry={stats.reload} />}
        {stats.value && <Figures stats={stats.value} />}
        <p class="small soft">
          {collection.encoder ? `Encoder ${collection.encoder.name}` : 'Vectors of your own'} ·{' '}
          {formatPlural(collection.dimension, 'dimension')} · metric {collection.metric}
          {collection.encoder &&
            !model &&
            ' · this server does not have that encoder, so it takes no pictures'}
        </p>
      </div>
      {stats.value && stats.value.items > 0 && <Recall collection={collection.name} />}
      {model && <AddPictures collection={collection.name} />}
    </section>
  );
}

function Figures(props: { stats: CollectionStats }) {
  const { items, segments, tailRows, deletedRows, bytes, version } = props.stats;
  const total = bytes.rows + bytes.codes + bytes.graphs + bytes.log;
  return (
    <dl class="figures">
      <Figure
        name="Rows"
        value={formatCount(items)}
        note={deletedRows > 0 ? `${formatCount(deletedRows)} deleted, not yet compacted` : 'live items'}
      />
      <Figure name="Segments" value={formatCount(segments)} note="immutable, each with its index" />
      <Figure
        name="Tail"
        value={formatCount(tailRows)}
        note={`newest ${tailRows === 1 ? 'row' : 'rows'}, searched exactly until in a segment`}
      />
      <Figure
        name="Stored"
        value={formatBytes(total)}
        note={`rows ${formatBytes(bytes.rows)}, codes ${formatBytes(bytes.codes)}, graphs ${formatBytes(bytes.graphs)}, log ${formatBytes(bytes.log)}`}
      />
      <Figure name="Version" value={formatCount(version)} note="newest commit" />
    </dl>
  );
}

function Figure(props: { name: string; value: string; note: string }) {
  return (
    <div>
      <dt class="small soft">{props.name}</dt>
      <dd class="figure-value number">{props.value}</dd>
      <dd class="small soft number">{props.note}</dd>
    </div>
  );
}

/** Measured on demand, as it costs an exact search a sampled item. */
function Recall(props: { collection: string }) {
  const [report, setReport] = useState<RecallReport>();
  const [error, setError] = useState<unknown>();
  const [running, setRunning] = useState(false);
  const measure = async () => {
    setRunning(true);
    setError(undefined);
    try {
      setReport(await server.recall(props.collection, { sample: 100, k: 10 }));
    } catch (problem) {
      setError(problem);
    }
    setRunning(false);
  };
  return (
    <section class="panel stack" aria-labelledby="recall-title">
      <div class="row between">
        <h2 id="recall-title">Measured recall</h2>
        <button type="button" class="button small" disabled={running} onClick={measure}>
          {running ? 'Measuring …' : report ? 'Measure again' : 'Measure'}
        </button>
      </div>
      {error !== undefined && <ProblemNotice error={error} />}
      <div role="status">
        {report ? (
          <>
            <p class="figure number">
              {(Math.floor(report.recall * 1000) / 10).toFixed(1)} %{' '}
              <span class="figure-label soft">recall@{report.k}</span>
            </p>
            <p class="small soft number">
              Of the true {report.k} nearest, over {formatPlural(report.sample, 'sampled item')} at ef{' '}
              {report.ef}. A search took {formatDuration(report.milliseconds.approximate / report.sample)}, an
              exact one {formatDuration(report.milliseconds.exact / report.sample)}.
            </p>
          </>
        ) : (
          <p class="small soft">
            How many of the true nearest a search of this collection finds, against exact search on a sample.
          </p>
        )}
      </div>
    </section>
  );
}
