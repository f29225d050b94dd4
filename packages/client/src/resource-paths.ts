/** URLs resolve `.` and `..` away even when percent-encoded, so that items with these ids have no address of their own. */
export function hasNoAddress(id: string): boolean {
  return id === '.' || id === '..';
}

export function collectionPath(name: string): string {
  return `/v1/collections/${encodeURIComponent(name)}`;
}

export function itemPath(collection: string, id: string): string {
  return `${collectionPath(collection)}/items/${encodeURIComponent(id)}`;
}

/** Longer JSON than this is no query parameter, then the picture goes into the JSON. */
export const longestParameter = 4096;
