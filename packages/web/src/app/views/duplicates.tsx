import { useState } from 'preact/hooks';
import { modelOf, useApp } from '../app-context.ts';
import { describeExpectedFalsePairs } from '../calibration.ts';
import { AddPictures } from '../components/add-pictures.tsx';
import { GroupReview } from '../components/group-review.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SimilaritySlider } from '../components/similarity-slider.tsx';
import { formatCount, formatPlural, formatSimilarity } from '../number-format.ts';
import { type DuplicatesJob, server } from '../server.ts';
import { useDuplicates } from '../use-duplicates.ts';
import { useLoad } from '../use-load.ts';
import { useNavigation } from '../use-route.ts';

export function DuplicatesView() {
  const app = useApp();
  const { route } = useNavigation();
  const { collection } = app;
  const name = collection?.name;
  const stats = useLoad(name, (signal) => server.stats(name ?? '', { signal }), app.writes);
  if (!name || stats.value?.items === 0) {
    const missing = route.collection && !name;
    return (
      <div class="welcome stack">
        <h1>{missing ? `There is no collection “${route.collection}” yet` : 'Find duplicates'}</h1>
        <p class="soft">
          {name ? `“${name}” is empty.` : 'There is nothing to look through yet.'} Add a folder of pictures;
          then the copies among them stand here in groups, with a proposal which of them to keep.
        </p>
        <AddPictures collection={name ?? route.collection ?? 'photos'} />
      </div>
    );
  }
  return <CollectionDuplicates key={name} name={name} items={stats.value?.items} />;
}

function CollectionDuplicates(props: { name: string; items: number | undefined }) {
  const { name, items } = props;
  const app = useApp();
  const model = modelOf(app, app.collection);
  const { route, adjust, go } = useNavigation();
  const found = useDuplicates(name, route.job);
  const [startError, setStartError] = useState<unknown>();
  const [starting, setStarting] = useState(false);
  const thresholds = model?.thresholds ?? [];
  const threshold = route.min ?? model?.defaultThreshold ?? 0.9;
  const running = starting || found.job?.status === 'running';

  const { look: _look, ...withoutLook } = route;
  // The groups below stay those of the last search until there is a new one.
  const searched = found.job?.status === 'done' ? found.job.minSimilarity : undefined;
  const isMoved = searched !== undefined && Math.abs(searched - threshold) >= 0.0005;

  const start = async () => {
    setStartError(undefined);
    setStarting(true);
    try {
      // Where the person asks for nothing else, what the server finds best.
      const isStandard = model !== undefined && Math.abs(model.defaultThreshold - threshold) < 0.0005;
      const { job } = await server.startDuplicates(
        name,
        isStandard ? {} : { minSimilarity: Math.max(0.001, threshold) },
      );
      if (job === route.job) found.reload();
      else go({ ...withoutLook, view: 'duplicates', collection: name, min: threshold, job });
    } catch (error) {
      setStartError(error);
    }
    setStarting(false);
  };

  return (
    <div class="stack">
      <h1>Duplicates in “{name}”</h1>
      <div class="panel duplicates-controls">
        <SimilaritySlider
          value={threshold}
          onInput={(min) => adjust({ min })}
          thresholds={thresholds}
          standard={model?.defaultThreshold}
          expected={describeExpectedFalsePairs(threshold, thresholds, items ?? 0)}
        />
        <div class="stack">
          <p class="soft small">
            Looks for pictures at least this similar among {items === undefined ? 'all' : formatCount(items)}{' '}
            of this collection. Nothing is deleted by that: you choose what to keep.
          </p>
          <div>
            <button type="button" class="button primary" disabled={running} onClick={start}>
              {route.job
                ? isMoved
                  ? `Find again at ${formatSimilarity(threshold)}`
                  : 'Find again'
                : 'Find duplicates'}
            </button>
          </div>
          {isMoved && (
            <p class="small soft">The groups below are those at {formatSimilarity(searched)} and above.</p>
          )}
        </div>
      </div>
      {startError !== undefined && <ProblemNotice error={startError} />}
      {found.error !== undefined && <ProblemNotice error={found.error} retry={found.reload} />}
      {found.job?.status === 'running' && <Progress job={found.job} />}
      {found.job?.status === 'failed' && (
        <ProblemNotice
          error={new Error(found.job.error?.message ?? 'The search for duplicates failed.')}
          retry={start}
        />
      )}
      {found.job?.status === 'done' && (
        <GroupReview
          key={found.job.job}
          collection={name}
          job={found.job}
          groups={found.groups}
          complete={found.complete}
          gone={found.gone}
          onDeleted={found.reload}
        />
      )}
    </div>
  );
}

function Progress(props: { job: DuplicatesJob }) {
  const { done, total } = props.job.progress;
  return (
    <div class="panel stack">
      <p role="status">Looking for duplicates …</p>
      <progress max={Math.max(1, total)} value={done} aria-label="Items looked at" />
      <p class="small soft number">
        {formatCount(done)} of {formatPlural(total, 'item')}
      </p>
    </div>
  );
}
