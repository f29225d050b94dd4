import { useApp } from '../app-context.ts';
import { formatPlural } from '../number-format.ts';
import { server } from '../server.ts';
import { useNavigation } from '../use-route.ts';
import { ConfirmedDelete } from './confirmed-delete.tsx';

export function DeleteCollection(props: { name: string; items: number }) {
  const { name, items } = props;
  const app = useApp();
  const { go } = useNavigation();
  const remove = async () => {
    await server.dropCollection(name);
    app.reloadCollections();
    go({ view: 'collections' });
  };
  return (
    <ConfirmedDelete
      label="Delete …"
      question={`Delete “${name}”?`}
      confirm="Delete the collection"
      decline="Keep it"
      onConfirm={remove}
    >
      {formatPlural(items, 'row')} with their previews, and what was remembered of its duplicates. Your own
      picture files are not touched. There is no undo.
    </ConfirmedDelete>
  );
}
