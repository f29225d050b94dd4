import { LookalikeError } from '@lookalike/store';

/** A picture of a bucket and the row it becomes. */
export interface PicturePlace {
  collection: string;
  /** Of the row: the key behind the prefix. */
  id: string;
  key: string;
}

/** JSON with the metadata of a picture lies beside it: `beach.jpg` and `beach.jpg.json`. */
const sidecarSuffix = '.json';

export function sidecarKey(pictureKey: string): string {
  return pictureKey + sidecarSuffix;
}

/** The picture that a change of `key` is about: a sidecar stands for its picture. */
export function pictureKeyOf(key: string): string {
  return key.endsWith(sidecarSuffix) ? key.slice(0, -sidecarSuffix.length) : key;
}

/**
 * `<prefix><collection>/<id>`, as in `ingest/photos/holiday/beach.jpg`.
 * Throws `LookalikeError('invalid-key')`.
 */
export function parseDropKey(key: string, prefix: string): PicturePlace {
  const [, collection, id] =
    /^([^/]+)\/(.+)$/s.exec(key.startsWith(prefix) ? key.slice(prefix.length) : '') ?? [];
  if (collection === undefined || id === undefined || id.endsWith('/')) {
    throw new LookalikeError('invalid-key', `${key}: expected ${prefix}<collection>/<name of the picture>`);
  }
  return { collection, id, key };
}
