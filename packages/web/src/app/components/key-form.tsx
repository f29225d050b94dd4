import { useState } from 'preact/hooks';
import { savedKey, saveKey } from '../server.ts';

/** Asked for only where the server wants a key. */
export function KeyForm(props: { onSaved: () => void }) {
  const [key, setKey] = useState('');
  return (
    <form
      class="panel stack narrow"
      onSubmit={(event) => {
        event.preventDefault();
        saveKey(key.trim());
        props.onSaved();
      }}
    >
      <h1>This server wants a key</h1>
      {savedKey() && (
        <p class="notice bad" role="alert">
          The server did not accept that key.
        </p>
      )}
      <label class="field">
        <span>API key</span>
        <input
          type="password"
          autocomplete="current-password"
          required
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <p class="small soft">Kept in this tab until you close it, and sent to this server only.</p>
      <button type="submit" class="button primary">
        Continue
      </button>
    </form>
  );
}
