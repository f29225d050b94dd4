import type { Picture } from './server.ts';

/** What the server noted of an ingested picture; items given as vectors have none. */
export function pictureOf(metadata: { [key: string]: unknown } | undefined): Picture | undefined {
  const picture = metadata?.picture as Partial<Picture> | null | undefined;
  if (typeof picture !== 'object' || picture === null) return undefined;
  const { width, height, bytes } = picture;
  if (typeof width !== 'number' || typeof height !== 'number' || typeof bytes !== 'number') return undefined;
  return picture as Picture;
}
