import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface Props {
  /** Of the button that asks. */
  label: string;
  /** The question, such as `Delete “photos”?`. */
  question: string;
  /** What goes and what stays. */
  children: ComponentChildren;
  confirm: string;
  decline: string;
  disabled?: boolean;
  /** Rejects with what the server said; then the question stays, with that. */
  onConfirm: () => Promise<void>;
}

/** A button for what cannot be undone: it asks first. */
export function ConfirmedDelete(props: Props) {
  const [asking, setAsking] = useState(false);
  const [working, setWorking] = useState(false);
  const [error, setError] = useState<unknown>();
  const close = () => {
    setAsking(false);
    setError(undefined);
  };
  const confirm = async () => {
    setError(undefined);
    setWorking(true);
    try {
      await props.onConfirm();
      close();
    } catch (problem) {
      setError(problem);
    }
    setWorking(false);
  };
  return (
    <>
      <button
        type="button"
        class="button quiet small danger"
        disabled={props.disabled}
        onClick={() => setAsking(true)}
      >
        {props.label}
      </button>
      {asking && (
        <Dialog label={props.question} class="narrow-dialog" onClose={close}>
          <h2>{props.question}</h2>
          <p>{props.children}</p>
          {error !== undefined && <ProblemNotice error={error} />}
          <div class="row">
            <button type="button" class="button danger" disabled={working} onClick={confirm}>
              {props.confirm}
            </button>
            <button type="button" class="button" onClick={close}>
              {props.decline}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
