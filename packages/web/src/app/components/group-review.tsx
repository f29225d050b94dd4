import { useMemo, useState } from 'preact/hooks';
import { separated } from '../different-pictures.ts';
import { download } from '../download.ts';
import {
  type Choices,
  countKinds,
  type GroupOrder,
  groupOrders,
  groupsWith,
  listAsCsv,
  listAsJson,
  removedItems,
  removeOnly,
  sortGroups,
  summarise,
} from '../duplicate-choices.ts';
import { formatBytes, formatCount, formatPlural, formatSimilarity } from '../number-format.ts';
import type { DuplicateGroup, DuplicateItem, DuplicatesJob } from '../server.ts';
import { useReview } from '../use-review.ts';
import { DeleteItems } from './delete-items.tsx';
import { GroupList } from './group-list.tsx';
import { DownloadIcon, UndoIcon } from './icons.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface Props {
  collection: string;
  job: DuplicatesJob;
  groups: DuplicateGroup[];
  complete: boolean;
  /** Items of these groups that have been deleted since. */
  gone: number;
  /** Some of what is shown is not in the collection any more. */
  onDeleted: () => void;
}

type Kind = DuplicateItem['kind'];

const kindNames: Record<Kind, string> = {
  exact: 'exact copies',
  pixels: 'same pixels',
  near: 'near-duplicates',
};

/** The groups of a finished search, to choose what to keep of each; every step can be taken back. */
export function GroupReview(props: Props) {
  const { collection, job, complete, gone } = props;
  const review = useReview(collection, job.job);
  const { choices, apart, lastStep } = review;
  const [order, setOrder] = useState<GroupOrder>('size');
  const [kind, setKind] = useState<Kind>();
  // In the order of the groups as they were found: none moves away while it is looked at.
  const sorted = useMemo(() => sortGroups(props.groups, order), [props.groups, order]);
  const groups = useMemo(() => separated(sorted, apart), [sorted, apart]);
  const counts = useMemo(() => countKinds(groups), [groups]);
  const shown = useMemo(() => (kind ? groupsWith(groups, kind) : groups), [groups, kind]);
  const summary = useMemo(() => summarise(shown, choices), [shown, choices]);
  const removedIds = useMemo(() => removedItems(shown, choices).map(({ id }) => id), [shown, choices]);

  if (complete && props.groups.length === 0) {
    return (
      <div class="notice" role="status">
        <p>No two pictures are {formatSimilarity(job.minSimilarity)} similar or more.</p>
        <p class="small soft">Move the slider down to look for ones that differ more, and find again.</p>
      </div>
    );
  }

  const header = { collection, minSimilarity: job.minSimilarity, version: job.version };
  const inAll: Record<string, { label: string; choices: () => Choices }> = {
    proposed: { label: 'Keep what is proposed', choices: () => new Map() },
    exact: { label: 'Remove exact copies only', choices: () => removeOnly(groups, ['exact']) },
    pixels: {
      label: 'Remove exact copies and same pixels only',
      choices: () => removeOnly(groups, ['exact', 'pixels']),
    },
    everything: {
      label: 'Keep everything',
      choices: () => removeOnly(groups, []),
    },
  };

  return (
    <>
      <div class="stack groups-head">
        <div class="row between">
          <p role="status">
            <strong>{formatPlural(shown.length, 'group')}</strong>
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
            <button
              type="button"
              class="button small"
              disabled={!complete}
              onClick={() =>
                download(
                  `${collection}-duplicates.json`,
                  'application/json',
                  listAsJson(header, shown, choices),
                )
              }
            >
              <DownloadIcon /> JSON
            </button>
            <button
              type="button"
              class="button small"
              disabled={!complete}
              onClick={() => download(`${collection}-duplicates.csv`, 'text/csv', listAsCsv(shown, choices))}
            >
              <DownloadIcon /> CSV
            </button>
            <DeleteItems
              collection={collection}
              ids={removedIds}
              disabled={!complete}
              onDeleted={props.onDeleted}
            />
          </div>
        </div>
        <div class="row groups-tools">
          <label class="row">
            <span class="visually-hidden">Which groups</span>
            <select
              class="select small"
              value={kind ?? ''}
              onChange={(event) => setKind((event.currentTarget.value || undefined) as Kind | undefined)}
            >
              <option value="">All groups</option>
              {(Object.keys(kindNames) as Kind[]).map((name) => (
                <option key={name} value={name} disabled={counts[name] === 0}>
                  With {kindNames[name]} ({formatCount(counts[name])})
                </option>
              ))}
            </select>
          </label>
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
          <label class="row">
            <span class="visually-hidden">In all groups</span>
            <select
              class="select small"
              value=""
              disabled={!complete}
              onChange={(event) => {
                const chosen = inAll[event.currentTarget.value];
                event.currentTarget.value = '';
                if (chosen) review.choose(chosen.choices(), `“${chosen.label}”`);
              }}
            >
              <option value="">In all groups …</option>
              {Object.entries(inAll).map(([value, { label }]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          {lastStep !== undefined && (
            <button
              type="button"
              class="button small undo"
              title={`Undo ${lastStep} (Z)`}
              onClick={review.undo}
            >
              <UndoIcon /> Undo <span class="undo-what soft">{lastStep}</span>
            </button>
          )}
        </div>
      </div>
      {review.error !== undefined && <ProblemNotice error={review.error} />}
      {gone > 0 && (
        <p class="notice warn">
          {formatPlural(gone, 'item')} of these groups {gone === 1 ? 'is' : 'are'} not in the collection any
          more and left out.
        </p>
      )}
      {(job.known ?? 0) > 0 && (
        <p class="small soft">
          {formatPlural(job.known ?? 0, 'picture')} had been compared with each other before; only what is new
          was looked at.
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
        <kbd>Enter</kbd> keep only this one, <kbd>D</kbd> a different picture, <kbd>V</kbd> enlarge,{' '}
        <kbd>Z</kbd> undo
      </p>
      {complete && shown.length === 0 && <p class="notice">No group is left.</p>}
      <GroupList
        collection={collection}
        groups={shown}
        choices={choices}
        onChoose={review.choose}
        onPart={review.part}
        onUndo={review.undo}
      />
    </>
  );
}
