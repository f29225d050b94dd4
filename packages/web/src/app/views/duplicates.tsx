import { useEffect, useMemo, useState } from 'preact/hooks';
import { modelOf, useApp } from '../app-context.ts';
import { describeExpectedFalsePairs } from '../calibration.ts';
import { AddPictures } from '../components/add-pictures.tsx';
import { GroupList } from '../components/group-list.tsx';
import { DownloadIcon } from '../components/icons.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SimilaritySlider } from '../components/similarity-slider.tsx';
import {
  type Choices,
  type GroupOrder,
  groupOrders,
  listAsCsv,
  listAsJson,
  readChoices,
  sortGroups,
  summarise,
  writeChoices,
} from '../duplicate-choices.ts';
import { formatBytes, formatCount, formatPlural, formatSimilarity } from '../number-format.ts';
import { type DuplicateGroup, type DuplicatesJob, server } from '../server.ts';
import { useDuplicates } from '../use-duplicates.ts';
import { useLoad } from '../use-load.ts';
import { useNavigation } from '../use-route.ts';

export function DuplicatesView() {
  const app = useApp();
  const { collection } = app;
  const name = collection?.name;
  const stats = useLoad(name, (signal) => server.stats(name ?? '', { signal }), app.writes);
  if (!name) {
    return (
      <div class="welcome stack">
        <h1>Find duplicates</h1>
        <p class="soft">There is no collection to look through yet.</p>
        <AddPictures collection="photos" />
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

  const start = async () => {
    setStartError(undefined);
    setStarting(true);
    try {
      const { job } = await server.startDuplicates(name, { minSimilarity: Math.max(0.001, threshold) });
      if (job === route.job) found.reload();
      else go({ ...route, view: 'duplicates', collection: name, min: threshold, job });
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
            of this collection. Nothing is deleted: you choose what to keep and download the list.
          </p>
          <div>
            <button type="button" class="button primary" disabled={running} onClick={start}>
              {route.job ? 'Find again' : 'Find duplicates'}
            </button>
          </div>
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
        <Groups
          key={found.job.job}
          name={name}
          job={found.job}
          groups={found.groups}
          complete={found.complete}
          gone={found.gone}
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

function Groups(props: {
  name: string;
  job: DuplicatesJob;
  groups: DuplicateGroup[];
  complete: boolean;
  gone: number;
}) {
  const { name, job, groups, complete, gone } = props;
  const storageKey = `lookalike-keep ${name} ${job.job}`;
  const [choices, setChoices] = useState<Choices>(() => readChoices(localStorage.getItem(storageKey)));
  useEffect(() => {
    if (choices.size > 0) localStorage.setItem(storageKey, writeChoices(choices));
    else localStorage.removeItem(storageKey);
  }, [storageKey, choices]);
  const [order, setOrder] = useState<GroupOrder>('size');
  const sorted = useMemo(() => sortGroups(groups, order), [groups, order]);
  const summary = useMemo(() => summarise(groups, choices), [groups, choices]);

  if (complete && groups.length === 0) {
    return (
      <p class="notice" role="status">
        No two pictures are {formatSimilarity(job.minSimilarity)} similar or more.
      </p>
    );
  }
  const header = { collection: name, minSimilarity: job.minSimilarity, version: job.version };
  return (
    <>
      <div class="row between groups-head">
        <p role="status">
          <strong>{formatPlural(job.groupCount ?? groups.length, 'group')}</strong>
          {complete ? (
            <span class="soft">
              {' '}
              of {formatPlural(summary.pictures, 'picture')} at {formatSimilarity(job.minSimilarity)} and
              above; {formatCount(summary.removed)} to remove
              {summary.removedBytes > 0 && `, ${formatBytes(summary.removedBytes)}`}
            </span>
          ) : (
            <span class="soft"> · {formatCount(groups.length)} read so far</span>
          )}
        </p>
        <div class="row">
          <label class="row">
            <span class="visually-hidden">Order of the groups</span>
            <select
              class="select small"
              value={order}
              onChange={(event) => setOrder(event.currentTarget.value as GroupOrder)}
            >
              {Object.entries(groupOrders).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          {choices.size > 0 && (
            <button type="button" class="button quiet small" onClick={() => setChoices(new Map())}>
              Back to the proposals
            </button>
          )}
          <button
            type="button"
            class="button small"
            disabled={!complete}
            onClick={() =>
              download(`${name}-duplicates.json`, 'application/json', listAsJson(header, sorted, choices))
            }
          >
            <DownloadIcon /> JSON
          </button>
          <button
            type="button"
            class="button small"
            disabled={!complete}
            onClick={() => download(`${name}-duplicates.csv`, 'text/csv', listAsCsv(sorted, choices))}
          >
            <DownloadIcon /> CSV
          </button>
        </div>
      </div>
      {gone > 0 && (
        <p class="notice warn">
          {formatPlural(gone, 'item')} of these groups {gone === 1 ? 'is' : 'are'} not in the collection any
          more and left out.
        </p>
      )}
      {job.complete === false && (
        <p class="small soft">
          The collection is large, so pairs were found through the index
          {job.pairRecall !== undefined &&
            `: about ${(Math.floor(job.pairRecall * 1000) / 10).toFixed(1)} % of all there are, measured on a sample`}
          .
        </p>
      )}
      <p class="small soft keyboard-hint">
        <kbd>←</kbd> <kbd>→</kbd> pictures, <kbd>↑</kbd> <kbd>↓</kbd> groups, <kbd>Space</kbd> keep or remove,{' '}
        <kbd>Enter</kbd> keep only this one
      </p>
      <GroupList collection={name} groups={sorted} choices={choices} onChoose={setChoices} />
    </>
  );
}

function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob after the click returns.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
