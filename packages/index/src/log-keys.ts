const digits = 20;

export const collectionsPrefix = 'collections/';

export function collectionPrefix(collection: string): string {
  return `${collectionsPrefix}${collection}/`;
}

export function logPrefix(collection: string): string {
  return `${collectionPrefix(collection)}log/`;
}

export function logKey(collection: string, version: number): string {
  return logPrefix(collection) + String(version).padStart(digits, '0');
}

export function checkpointPrefix(collection: string): string {
  return `${collectionPrefix(collection)}checkpoints/`;
}

export function checkpointKey(collection: string, version: number): string {
  return checkpointPrefix(collection) + String(version).padStart(digits, '0');
}

export function segmentsPrefix(collection: string): string {
  return `${collectionPrefix(collection)}segments/`;
}

export function segmentKey(collection: string, segment: string, file: string): string {
  return `${segmentsPrefix(collection)}${segment}/${file}`;
}

export function snapshotsPrefix(collection: string): string {
  return `${collectionPrefix(collection)}snapshots/`;
}

export function snapshotKey(collection: string, snapshot: string): string {
  return snapshotsPrefix(collection) + snapshot;
}

/** The number at the end of a log or checkpoint key. */
export function keyVersion(key: string): number {
  return Number(key.slice(key.lastIndexOf('/') + 1));
}
