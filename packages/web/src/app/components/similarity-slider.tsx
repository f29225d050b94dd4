import { useId } from 'preact/hooks';
import { type CalibratedThreshold, describeFalsePositives, describeRecall, oneIn } from '../calibration.ts';
import { formatSimilarity } from '../number-format.ts';

interface Props {
  value: number;
  onInput: (value: number) => void;
  thresholds: readonly CalibratedThreshold[];
  /** Of the model: where two pictures count as the same. */
  standard: number | undefined;
  /** What the rate means for the collection at hand. */
  expected?: string | undefined;
}

/** Least similarity, with what calibration says that means: the share of unrelated pictures that would get through. */
export function SimilaritySlider(props: Props) {
  const { value, onInput, thresholds, standard, expected } = props;
  const id = useId();
  const described = describeFalsePositives(value, thresholds);
  const recall = describeRecall(value, thresholds);
  const calibratedOn = [...new Set(thresholds.map((point) => point.calibratedOn))].join('; ');
  return (
    <div class="slider">
      <div class="row between">
        <label for={id}>Minimum similarity</label>
        <output class="number" for={id}>
          {formatSimilarity(value)}
        </output>
      </div>
      <input
        id={id}
        type="range"
        min="0"
        max="1"
        step="0.001"
        value={value}
        aria-valuetext={`${formatSimilarity(value)}. ${described}`}
        aria-describedby={`${id}-meaning`}
        onInput={(event) => onInput(Number(event.currentTarget.value))}
        onKeyDown={(event) => {
          // The browser's own step of a thousandth is right for fine tuning but not for getting anywhere.
          const step = { PageUp: 0.05, PageDown: -0.05 }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          onInput(Math.min(1, Math.max(0, Math.round((value + step) * 1000) / 1000)));
        }}
      />
      <div class="slider-marks" aria-hidden="true">
        {thresholds.map((point) => (
          <span
            key={point.similarity}
            class={point.similarity === standard ? 'mark standard' : 'mark'}
            style={{ left: `${point.similarity * 100}%` }}
            title={`${formatSimilarity(point.similarity)}: ${oneIn(point.falsePositiveRate)}`}
          />
        ))}
      </div>
      <div id={`${id}-meaning`} class="small soft">
        <p>{described}</p>
        {recall && <p>{recall}</p>}
        {expected && <p>{expected}</p>}
      </div>
      {calibratedOn && (
        <details class="small soft">
          <summary>How this is known</summary>
          <p>Measured on {calibratedOn}.</p>
        </details>
      )}
      {standard !== undefined && Math.abs(standard - value) >= 0.0005 && (
        <button
          type="button"
          class="button quiet small slider-reset"
          onClick={() => onInput(Math.round(standard * 1000) / 1000)}
        >
          Back to the calibrated {formatSimilarity(standard)}
        </button>
      )}
    </div>
  );
}
