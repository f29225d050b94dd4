import { useEffect, useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';
import { KeyboardIcon } from './icons.tsx';

const keys: { where: string; list: [keys: string[], does: string][] }[] = [
  {
    where: 'Everywhere',
    list: [
      [['Ctrl', 'V'], 'search with, add or compare the picture in the clipboard'],
      [['?'], 'this list'],
      [['Esc'], 'close what is open'],
    ],
  },
  {
    where: 'Duplicate groups',
    list: [
      [['←', '→'], 'pictures of a group'],
      [['↑', '↓'], 'groups; Page Up and Page Down five at a time, Home and End all the way'],
      [['Space'], 'keep or remove the picture'],
      [['Enter'], 'keep only this one'],
      [['D'], 'it is a different picture: never group it with these again'],
      [['V'], 'enlarge it beside the one to keep; the same keys work there'],
      [['Z'], 'undo the last step'],
    ],
  },
  {
    where: 'Enlarged picture',
    list: [[['←', '→'], 'previous and next picture']],
  },
  {
    where: 'Slider',
    list: [
      [['←', '→'], 'by a thousandth'],
      [['Page Up', 'Page Down'], 'by a twentieth'],
    ],
  },
];

/** A button in the header, and `?` wherever no text is being typed. */
export function KeyboardHelp() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const target = event.target as Element;
      const types = target.closest('input:not([type=range], [type=checkbox]), select, dialog');
      if (event.key !== '?' || types || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      setOpen(true);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <>
      <button
        type="button"
        class="button quiet small header-tool"
        aria-label="Keyboard"
        title="Keyboard (?)"
        onClick={() => setOpen(true)}
      >
        <KeyboardIcon />
      </button>
      {open && (
        <Dialog label="Keyboard" class="keyboard" onClose={() => setOpen(false)}>
          <h2>Keyboard</h2>
          {keys.map(({ where, list }) => (
            <section key={where} class="stack keyboard-part">
              <h3>{where}</h3>
              <dl class="keyboard-keys">
                {list.map(([names, does]) => (
                  <div key={does}>
                    <dt>
                      {names.map((name) => (
                        <kbd key={name}>{name}</kbd>
                      ))}
                    </dt>
                    <dd>{does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </Dialog>
      )}
    </>
  );
}
