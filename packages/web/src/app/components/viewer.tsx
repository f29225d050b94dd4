import type { ComponentChildren } from 'preact';
import { formatBytes } from '../number-format.ts';
import { pictureOf } from '../picture-metadata.ts';
import { Dialog } from './dialog.tsx';
import { NextIcon, PreviousIcon } from './icons.tsx';

export interface ViewedPicture {
  /** What it is here: the one searched with, the one to keep, a match. */
  role: ComponentChildren;
  name: string;
  picture: ComponentChildren;
  metadata?: Parameters<typeof pictureOf>[0];
}

interface Props {
  label: string;
  /** What `shown` is looked at beside; missing where it is the same picture. */
  beside: ViewedPicture | undefined;
  shown: ViewedPicture;
  /** How alike the two are. */
  children?: ComponentChildren;
  actions: ComponentChildren;
  /** Such as `2 of 14`. */
  position: string;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
  onKeyDown?: (event: KeyboardEvent) => void;
  onClose: () => void;
}

/** A picture enlarged, beside the one it was found with: whether they are the same is for the eye to say. */
export function Viewer(props: Props) {
  const { beside, shown, onPrevious, onNext } = props;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: onPrevious, ArrowRight: onNext }[event.key];
    if (step) {
      event.preventDefault();
      step();
    } else props.onKeyDown?.(event);
  };
  return (
    <Dialog class="viewer" label={props.label} onClose={props.onClose} onKeyDown={onKeyDown}>
      <div class="viewer-sides">
        {beside && <Side picture={beside} />}
        <Side picture={shown} />
      </div>
      <div class="viewer-verdict" role="status">
        {props.children}
      </div>
      <div class="row between">
        <div class="row">
          <StepButton label="Previous picture" onStep={onPrevious}>
            <PreviousIcon />
          </StepButton>
          <span class="number small soft">{props.position}</span>
          <StepButton label="Next picture" onStep={onNext}>
            <NextIcon />
          </StepButton>
        </div>
        <div class="row">{props.actions}</div>
      </div>
    </Dialog>
  );
}

function StepButton(props: {
  label: string;
  /** Missing where there is nothing further. */
  onStep: (() => void) | undefined;
  children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class="button small"
      aria-label={props.label}
      aria-disabled={!props.onStep}
      onClick={props.onStep}
    >
      {props.children}
    </button>
  );
}

function Side(props: { picture: ViewedPicture }) {
  const { role, name, picture, metadata } = props.picture;
  const facts = pictureOf(metadata);
  return (
    <figure class="viewer-side">
      {picture}
      <figcaption>
        <span class="row">
          {role}
          {facts && (
            <span class="small soft number">
              {facts.width} × {facts.height} · {formatBytes(facts.bytes)} · {facts.format}
            </span>
          )}
        </span>
        <span class="viewer-name small">{name}</span>
      </figcaption>
    </figure>
  );
}
