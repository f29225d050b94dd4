import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CloseIcon } from './icons.tsx';

interface Props {
  label: string;
  class?: string;
  onClose: () => void;
  /** Keys that no control in it has taken. */
  onKeyDown?: (event: KeyboardEvent) => void;
  children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus inside, closes it on Escape and gives the focus back. */
export function Dialog(props: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { onClose } = props;
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Not the first button: keys such as Space are the dialog's own until Tab is pressed.
    content.current?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ''}`}
      aria-label={props.label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Only the backdrop counts as the dialog itself: its content covers the rest.
        if (event.target === event.currentTarget) onClose();
      }}
      onKeyDown={(event) => {
        const target = event.target as Element;
        // Keys in a dialog above this one are not this one's.
        if (target.closest('dialog') !== event.currentTarget) return;
        const control = target.closest('button, a, input, select');
        const isControls = control !== null && [' ', 'Enter'].includes(event.key);
        if (!isControls && !event.ctrlKey && !event.metaKey && !event.altKey) props.onKeyDown?.(event);
      }}
    >
      <div ref={content} class="dialog-content" tabIndex={-1}>
        <button type="button" class="button small round dialog-close" aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </button>
        {props.children}
      </div>
    </dialog>
  );
}
