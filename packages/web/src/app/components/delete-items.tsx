import { useApp } from '../app-context.ts';
import { formatPlural } from '../number-format.ts';
import { server } from '../server.ts';
import { ConfirmedDelete } from './confirmed-delete.tsx';

/** The server takes no more. */
const idsARequest = 10_000;

interface Props {
  collection: string;
  ids: readonly string[];
  disabled?: boolean;
  /** They are not in the collection any more. */
  onDeleted: () => void;
}

/** Takes pictures out of a collection, so that searches do not find them any more. */
export function DeleteItems(props: Props) {
  const { collection, ids, disabled = false, onDeleted } = props;
  const app = useApp();
  const what = ids.length === 1 ? `“${ids[0]}”` : formatPlural(ids.length, 'picture');
  const remove = async () => {
    try {
      for (let start = 0; start < ids.length; start += idsARequest)
        await server.deleteItems(collection, { ids: ids.slice(start, start + idsARequest) });
    } finally {
      // Also where a later request failed: what went before is gone.
      app.noteWrite();
    }
    onDeleted();
  };
  return (
    <ConfirmedDelete
      label="Delete from the collection …"
      question={`Delete ${what} from “${collection}”?`}
      confirm={ids.length === 1 ? 'Delete it' : 'Delete them'}
      decline={ids.length === 1 ? 'Keep it' : 'Keep them'}
      disabled={disabled || ids.length === 0}
      onConfirm={remove}
    >
      {ids.length === 1 ? 'Its row and preview go' : 'Their rows and previews go'}, and searches find{' '}
      {ids.length === 1 ? 'it' : 'them'} no more. Your own picture files are not touched. There is no undo,
      but they can be added again.
    </ConfirmedDelete>
  );
}
