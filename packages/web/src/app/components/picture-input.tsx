import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useId, useRef, useState } from 'preact/hooks';
import { acceptedTypes, type ChosenFile, filesOfDrop, filesOfInput, pastedFile } from '../picture-files.ts';

interface Props {
  /** What the button in it says; also names the control. */
  label: string;
  onFiles: (files: ChosenFile[]) => void;
  multiple?: boolean;
  /** Offer a second button that takes a whole folder. */
  folders?: boolean;
  /** Take what is pasted or dropped anywhere on the page; at most one input of a view. */
  wholePage?: boolean;
  disabled?: boolean;
  class?: string;
  children?: ComponentChildren;
}

/** A drop zone with buttons: what can be dropped or pasted can also be picked by keyboard. */
export function PictureInput(props: Props) {
  const { onFiles, multiple = false, wholePage = false, disabled = false } = props;
  const [over, setOver] = useState(false);
  const zone = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const hint = useId();

  const take = useCallback(
    (files: ChosenFile[]) => {
      if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
    },
    [onFiles, multiple],
  );

  useEffect(() => {
    const target = wholePage ? window : zone.current;
    if (disabled || !target) return;
    const onDragOver = (event: Event) => {
      const { dataTransfer, target: under } = event as DragEvent;
      // Of a page with two zones, the one under the pointer takes it.
      const inner = (under as Element | null)?.closest?.('.picture-input');
      setOver(!!dataTransfer?.types.includes('Files') && (!inner || inner === zone.current));
    };
    const onDragLeave = (event: Event) => {
      const entered = (event as DragEvent).relatedTarget as Node | null;
      if (!entered || !(wholePage || zone.current?.contains(entered))) setOver(false);
    };
    const onDrop = (event: Event) => {
      setOver(false);
      const { dataTransfer } = event as DragEvent;
      if (!dataTransfer) return;
      event.preventDefault();
      // Another zone that takes the whole page must not take it as well.
      event.stopPropagation();
      filesOfDrop(dataTransfer).then(take);
    };
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      take(files.map(pastedFile));
    };
    target.addEventListener('dragover', onDragOver);
    target.addEventListener('dragleave', onDragLeave);
    target.addEventListener('drop', onDrop);
    if (wholePage) addEventListener('paste', onPaste);
    return () => {
      target.removeEventListener('dragover', onDragOver);
      target.removeEventListener('dragleave', onDragLeave);
      target.removeEventListener('drop', onDrop);
      removeEventListener('paste', onPaste);
    };
  }, [wholePage, disabled, take]);

  const onChange = (event: Event) => {
    const element = event.currentTarget as HTMLInputElement;
    take(filesOfInput(element));
    element.value = '';
  };

  return (
    <div ref={zone} class={`picture-input ${over ? 'over' : ''} ${props.class ?? ''}`}>
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
        multiple={multiple}
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
