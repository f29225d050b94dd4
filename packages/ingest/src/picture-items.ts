import { createHash } from 'node:crypto';
import { encodePictures, encoderOf, keepPicture } from '@lookalike/api';
import type { Collection, Item, Metadata } from '@lookalike/index';
import { mapConcurrently } from './map-concurrently.ts';
import type { PicturePlace } from './picture-key.ts';
import type { PictureReading } from './read-picture.ts';
import type { IngestServices } from './reconcile.ts';

export type BuiltItem =
  | { place: PicturePlace; item: Item }
  /** The picture cannot be encoded. */
  | { place: PicturePlace; error: { code: string; message: string } };

/** A row's vector and facts are kept where the bytes are the same ones under a new version. */
export async function buildItems(
  services: Pick<IngestServices, 'encoders' | 'objects'>,
  bucket: string,
  collection: Collection,
  readings: readonly PictureReading[],
  signal: AbortSignal,
): Promise<BuiltItem[]> {
  const built: BuiltItem[] = [];
  const fresh: PictureReading[] = [];
  for (const reading of readings) {
    const vector = await knownVector(collection, reading);
    if (vector === undefined) fresh.push(reading);
    else {
      const facts = reading.row?.metadata.picture as Metadata;
      built.push({ place: reading.place, item: itemOf(bucket, reading, vector, facts) });
    }
  }
  return [...built, ...(await encode(services, bucket, collection, fresh, signal))];
}

/** By the content hash: the collection is bound to one encoder, so the same bytes have the same vector. */
async function knownVector(
  collection: Collection,
  { row, picture }: PictureReading,
): Promise<Float32Array | undefined> {
  const facts = row?.metadata.picture as { sha256?: unknown } | undefined;
  if (row === undefined || facts?.sha256 !== createHash('sha256').update(picture.bytes).digest('hex'))
    return undefined;
  const [stored] = await collection.get([row.id], { include: ['vector'] });
  return stored?.version === row.version ? stored.vector : undefined;
}

async function encode(
  { encoders, objects }: Pick<IngestServices, 'encoders' | 'objects'>,
  bucket: string,
  collection: Collection,
  fresh: readonly PictureReading[],
  signal: AbortSignal,
): Promise<BuiltItem[]> {
  if (fresh.length === 0) return [];
  const encoder = await encoderOf(collection.info, encoders);
  const encoded = await encodePictures(
    encoder,
    fresh.map(({ picture }) => picture.bytes),
    signal,
  );
  const reading = { limits: encoder.limits, signal };
  return mapConcurrently(fresh, 4, async (one, index): Promise<BuiltItem> => {
    const result = encoded[index];
    if (result === undefined) throw new Error('the encoder gave too few results');
    const { place, picture } = one;
    if (!result.ok) return { place, error: result.error };
    const kept = await keepPicture(objects, place.collection, picture.bytes, result.picture, reading);
    if (!kept.ok) return { place, error: kept.error };
    return { place, item: itemOf(bucket, one, result.embedding, kept.picture as Metadata) };
  });
}

function itemOf(bucket: string, reading: PictureReading, vector: Float32Array, facts: Metadata): Item {
  const { place, picture, sidecar, seen } = reading;
  const source: Metadata = { bucket, key: place.key, etag: picture.etag };
  if (picture.versionId !== undefined) source.versionId = picture.versionId;
  if (seen.sidecar !== undefined) source.sidecar = seen.sidecar;
  return { id: place.id, vector, metadata: { ...picture.metadata, ...sidecar, picture: facts, source } };
}
