import type { Metadata, StoredItem } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import { type PicturePlace, sidecarKey } from './picture-key.ts';
import type { PictureSource, SourcePicture } from './picture-source.ts';

/** Etags of a picture and of its sidecar; missing: there is none. */
export interface SeenVersions {
  picture?: string;
  sidecar?: string;
}

export interface PictureReading {
  place: PicturePlace;
  row: StoredItem | undefined;
  picture: SourcePicture;
  /** From the sidecar; wins over what the object itself carries. */
  sidecar: Metadata | undefined;
  seen: SeenVersions;
}

/** What the row was made from, as stored in its metadata under `source`. */
function versionsOf(row: StoredItem): SeenVersions {
  const source = (row.metadata.source ?? {}) as { etag?: unknown; sidecar?: unknown };
  return versions(
    typeof source.etag === 'string' ? source.etag : undefined,
    typeof source.sidecar === 'string' ? source.sidecar : undefined,
  );
}

function versions(picture: string | undefined, sidecar: string | undefined): SeenVersions {
  return { ...(picture === undefined ? {} : { picture }), ...(sidecar === undefined ? {} : { sidecar }) };
}

export function sameVersions(a: SeenVersions, b: SeenVersions): boolean {
  return a.picture === b.picture && (a.picture === undefined || a.sidecar === b.sidecar);
}

export async function currentVersions(source: PictureSource, place: PicturePlace): Promise<SeenVersions> {
  const [picture, sidecar] = await Promise.all([
    source.version(place.key),
    source.version(sidecarKey(place.key)),
  ]);
  return versions(picture?.etag, sidecar?.etag);
}

/** Whether the row is what is there now: two small requests instead of the whole picture. Notes in `seen` what it saw. */
export async function isCurrent(
  source: PictureSource,
  place: PicturePlace,
  row: StoredItem | undefined,
  seen: SeenVersions,
): Promise<boolean> {
  if (row === undefined) return false;
  const now = await currentVersions(source, place);
  if (!sameVersions(now, versionsOf(row))) return false;
  Object.assign(seen, now);
  return true;
}

/**
 * Notes in `seen` what it saw, also where it throws.
 * @throws `LookalikeError` where the picture cannot become a row as it is: `picture-too-large`, `picture-archived`,
 * `invalid-metadata`
 */
export async function readPicture(
  source: PictureSource,
  place: PicturePlace,
  row: StoredItem | undefined,
  seen: SeenVersions,
): Promise<PictureReading | 'gone'> {
  const [picture, sidecar] = await Promise.allSettled([
    source.read(place.key),
    source.readText(sidecarKey(place.key)),
  ]);
  if (sidecar.status === 'rejected') throw sidecar.reason;
  if (sidecar.value !== undefined) seen.sidecar = sidecar.value.etag;
  if (picture.status === 'rejected') {
    const version = await source.version(place.key);
    if (version !== undefined) seen.picture = version.etag;
    throw picture.reason;
  }
  if (picture.value === undefined) return 'gone';
  seen.picture = picture.value.etag;
  const metadata = sidecar.value === undefined ? undefined : parseSidecar(place, sidecar.value.text);
  return { place, row, picture: picture.value, sidecar: metadata, seen };
}

function parseSidecar(place: PicturePlace, text: string): Metadata {
  const key = sidecarKey(place.key);
  let metadata: unknown;
  try {
    metadata = JSON.parse(text);
  } catch (cause) {
    throw new LookalikeError('invalid-metadata', `${key} is not JSON`, { cause });
  }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new LookalikeError('invalid-metadata', `${key}: expected a JSON object`);
  }
  return metadata as Metadata;
}
