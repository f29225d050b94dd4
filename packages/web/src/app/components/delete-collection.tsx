import { useState } from 'preact/hooks';
import { useApp } from '../app-context.ts';
import { formatPlural } from '../number-format.ts';
import { server } from '../server.ts';
import { useNavigation } from '../use-route.ts';
import { Dialog } from './dialog.tsx';
import { ProblemNotice } from './problem-notice.tsx';

/** The one thing on this page that cannot be undone, so it asks, and says what goes and what stays. */
export function DeleteCollection(props: { name: string; items: number }) {
  const { name, items } = props;
  const app = useApp();
  const { go } = useNavigation();
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const remove = async () => {
    setError(undefined);
    try {
      await server.dropCollection(name);
      setAsking(false);
      app.reloadCollections();
      go({ view: 'collections' });
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <>
      <button type="button" class="button quiet small danger" onClick={() => setAsking(true)}>
        Delete …
      </button>
      {asking && (
        <Dialog label={`Delete ${name}`} class="narrow-dialog" onClose={() => setAsking(false)}>
          <h2>Delete “{name}”?</h2>
          <p>
            {formatPlural(items, 'row')} with their previews, and what was remembered of its duplicates. Your
            own picture files are not touched. There is no undo.
          </p>
          {error !== undefined && <ProblemNotice error={error} />}
          <div class="row">
            <button type="button" class="button danger" onClick={remove}>
              Delete the collection
            </button>
            <button type="button" class="button" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
