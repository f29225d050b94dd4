import type { IngestProgress } from '../ingest.ts';
import { formatCount, formatDuration, formatPlural } from '../number-format.ts';
import { CloseIcon } from './icons.tsx';
import { ProblemNotice } from './problem-notice.tsx';

export interface IngestRun {
  collection: string;
  startedAt: number;
  progress: IngestProgress;
  state: 'running' | 'done' | 'stopped' | 'failed';
  error?: unknown;
}

/** How adding pictures goes, whatever view is shown meanwhile. */
export function IngestTray(props: { run: IngestRun; onStop: () => void; onClose: () => void }) {
  const { run } = props;
  const { total, done, stored, errors } = run.progress;
  const running = run.state === 'running';
  const left = done > 0 ? ((Date.now() - run.startedAt) / done) * (total - done) : undefined;
  return (
    <section class="tray panel stack" aria-label="Adding pictures">
      <div class="row between">
        <h2>
          {running
            ? `Adding to ${run.collection}`
            : `Added ${formatPlural(stored, 'picture')} to ${run.collection}`}
        </h2>
        {running ? (
          <button type="button" class="button small" onClick={props.onStop}>
            Stop
          </button>
        ) : (
          <button type="button" class="button quiet small" aria-label="Close" onClick={props.onClose}>
            <CloseIcon />
          </button>
        )}
      </div>
      <progress max={total} value={done} aria-label="Pictures added" />
      <p class="small soft number" role="status">
        {formatCount(done)} of {formatPlural(total, 'picture')}
        {running && left !== undefined && done >= 4 && ` · about ${formatDuration(left)} left`}
        {run.state === 'stopped' && ' · stopped; adding the same pictures again takes up where it ended'}
      </p>
      {run.state === 'failed' && <ProblemNotice error={run.error} />}
      {errors.length > 0 && (
        <details open={!running}>
          <summary>{formatPlural(errors.length, 'file')} could not be added</summary>
          <ul class="tray-errors small">
            {errors.slice(0, 200).map((error) => (
              <li key={error.path}>
                <strong>{error.path}</strong>: {error.message}
              </li>
            ))}
            {errors.length > 200 && <li>… and {formatCount(errors.length - 200)} more</li>}
          </ul>
        </details>
      )}
    </section>
  );
}
