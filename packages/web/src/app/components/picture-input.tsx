import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { acceptedTypes, type ChosenFile, filesOfDrop, filesOfInput } from '../picture-files.ts';

interface Props {
  /** What the button in it says; also names the control. */
  label: string;
  onFiles: (files: ChosenFile[]) => void;
  multiple?: boolean;
  /** Offer a second button that takes a whole folder. */
  folders?: boolean;
  /** Take pictures pasted anywhere on the page; at most one input of a view. */
  pastes?: boolean;
  disabled?: boolean;
  class?: string;
  children?: ComponentChildren;
}

/** A drop zone with buttons: what can be dropped or pasted can also be picked by keyboard. */
export function PictureInput(props: Props) {
  const { onFiles, pastes, disabled = false } = props;
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const hint = useId();

  useEffect(() => {
    if (!pastes || disabled) return;
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      onFiles(files.map((file) => ({ path: file.name || 'pasted picture', file })));
    };
    addEventListener('paste', onPaste);
    return () => removeEventListener('paste', onPaste);
  }, [pastes, disabled, onFiles]);

  const take = (files: ChosenFile[]) => {
    if (files.length > 0) onFiles(props.multiple ? files : files.slice(0, 1));
  };
  const onChange = (event: Event) => {
    const element = event.currentTarget as HTMLInputElement;
    take(filesOfInput(element));
    element.value = '';
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is extra; the buttons inside do the same
    <div
      class={`picture-input ${over ? 'over' : ''} ${props.class ?? ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        if (!disabled) setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        if (!disabled && event.dataTransfer) filesOfDrop(event.dataTransfer).then(take);
      }}
    >
      {props.children && <div id={hint}>{props.children}</div>}
      <div class="row picture-input-buttons">
        <button
          type="button"
          class="button primary"
          disabled={disabled}
          aria-describedby={props.children ? hint : undefined}
          onClick={() => input.current?.click()}
        >
          {props.label}
        </button>
        {props.folders && (
          <button type="button" class="button" disabled={disabled} onClick={() => folder.current?.click()}>
            Choose a folder
          </button>
        )}
      </div>
      <input
        ref={input}
        type="file"
        hidden
        accept={acceptedTypes}
        multiple={props.multiple ?? false}
        aria-label={props.label}
        onChange={onChange}
      />
      {props.folders && (
        <input
          ref={(element) => {
            folder.current = element;
            element?.setAttribute('webkitdirectory', '');
          }}
          type="file"
          hidden
          aria-label="Choose a folder"
          onChange={onChange}
        />
      )}
    </div>
  );
}
