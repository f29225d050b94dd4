import { useApp } from '../app-context.ts';
import { PictureInput } from './picture-input.tsx';

/** Drop or paste pictures or folders to put them in a collection, which is made first where it is missing. */
export function AddPictures(props: { collection: string }) {
  const app = useApp();
  return (
    <PictureInput
      class="hero"
      label="Choose pictures"
      multiple
      folders
      wholePage
      disabled={app.ingesting}
      onFiles={(files) => app.ingest(props.collection, files)}
    >
      <p class="hero-title">Drop pictures or a folder here</p>
      <p class="soft">
        to add them to “{props.collection}”. JPEG, PNG, WebP, AVIF, GIF and TIFF; a file of the same name
        replaces the one before.
      </p>
    </PictureInput>
  );
}
