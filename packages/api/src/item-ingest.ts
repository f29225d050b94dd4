import { setTimeout } from 'node:timers/promises';
import type { PictureLimits } from '@lookalike/encoder';
import type { Collection, UpsertResult as EngineResult, Item, Metadata } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { Services } from './app-context.ts';
import { assertSameEncoder, encoderOf } from './encoders.ts';
import { upsertResultAnswer } from './item-answer.ts';
import { type EncodedPicture, encodePictures, keepPicture, pictureFromBase64 } from './picture-encoding.ts';
import { itemErrorOf } from './problems.ts';
import type { ItemInput, Picture, UpsertResult } from './schemas.ts';
import { itemInput } from './schemas-items.ts';
import { encodeUploads } from './uploads.ts';
import { validate } from './validation.ts';

export interface IngestOptions {
  unlessSimilar?: number | undefined;
  /** Hash of the encoder that made the vectors. */
  encoder?: string | undefined;
  /** Where the collection has too much that is not indexed, wait until it has not, for so many milliseconds; default: be refused. */
  patience?: number;
  signal: AbortSignal;
}

export interface Ingested {
  version: number;
  /** One an item, in order. */
  results: UpsertResult[];
}

/** An item ready for the engine, or why it is not. */
type Prepared =
  | { id: string; item: Item; picture?: Picture }
  | { id: string; error: { code: string; message: string } };

/** One picture to ingest: its bytes, or the url of an upload that holds them. */
export interface PictureItem {
  id: string;
  picture: Uint8Array | string;
  metadata?: Metadata;
  ifVersion?: number;
}

function idOf(raw: unknown): string {
  const id = typeof raw === 'object' && raw !== null && 'id' in raw ? raw.id : undefined;
  return typeof id === 'string' ? id : '';
}

async function preparePictures(
  services: Services,
  collection: Collection,
  pictures: readonly PictureItem[],
  signal: AbortSignal,
): Promise<Prepared[]> {
  if (pictures.length === 0) return [];
  const { info } = collection;
  try {
    const encoder = await encoderOf(info, services.encoders);
    const reading = { limits: encoder.limits, signal };
    const given = pictures.filter(({ picture }) => typeof picture !== 'string');
    const files = given.map(({ picture }) => picture as Uint8Array);
    const encoded = await encodePictures(encoder, files, signal);
    const inline = await Promise.all(
      given.map((one, at) =>
        prepareEncoded(services, info.name, one, encoded[at], files[at] as Uint8Array, reading),
      ),
    );
    const named = pictures.filter(({ picture }) => typeof picture === 'string');
    const urls = named.map(({ picture }) => picture as string);
    const uploaded = await encodeUploads(services, encoder, urls, signal, (result, bytes, at) =>
      prepareEncoded(services, info.name, named[at] as PictureItem, result, bytes, reading),
    );
    return pictures.map(
      ({ picture }) => (typeof picture === 'string' ? uploaded.shift() : inline.shift()) as Prepared,
    );
  } catch (error) {
    // The collection takes no pictures: each of them says so, vectors of the same batch go through.
    const why = itemErrorOf(error);
    return pictures.map(({ id }) => ({ id, error: why }));
  }
}

async function prepareEncoded(
  { objects }: Services,
  collection: string,
  { id, metadata, ifVersion }: PictureItem,
  result: EncodedPicture | undefined,
  bytes: Uint8Array,
  reading: { limits: PictureLimits; signal: AbortSignal },
): Promise<Prepared> {
  if (result === undefined) throw new Error('the encoder gave too few results');
  if (!result.ok) return { id, error: result.error };
  const kept = await keepPicture(objects, collection, bytes, result.picture, reading);
  if (!kept.ok) return { id, error: kept.error };
  const { picture } = kept;
  return {
    id,
    item: {
      id,
      vector: result.embedding,
      metadata: { ...metadata, picture: picture as Metadata },
      ...(ifVersion === undefined ? {} : { ifVersion }),
    },
    picture,
  };
}

/** Milliseconds until a write that was refused as too much is tried again. */
const overloadDelay = 500;

/** Numbers to a slab: one buffer holds the vectors of many items, where a buffer an item would fragment memory. */
const slabLength = 65_536;

/** Items of one commit. Each is checked when it is added, and fails alone. */
export class ItemBatch {
  readonly #services: Services;
  readonly #collection: Collection;
  readonly #options: IngestOptions;
  /** `undefined`: a picture still to be encoded. */
  readonly #prepared: (Prepared | undefined)[] = [];
  readonly #pictures: PictureItem[] = [];
  readonly #places: number[] = [];
  #slab = new Float32Array(0);

  /** Throws `encoder-mismatch`. */
  constructor(services: Services, collection: Collection, options: IngestOptions) {
    if (options.encoder !== undefined) assertSameEncoder(collection.info, options.encoder);
    this.#services = services;
    this.#collection = collection;
    this.#options = options;
  }

  get size(): number {
    return this.#prepared.length;
  }

  add(value: unknown): void {
    try {
      const input: ItemInput = validate(itemInput, value);
      const settings = {
        ...(input.metadata === undefined ? {} : { metadata: input.metadata }),
        ...(input.ifVersion === undefined ? {} : { ifVersion: input.ifVersion }),
      };
      if (input.vector !== undefined) {
        const vector = this.#vectorOf(input.vector);
        this.#prepared.push({ id: input.id, item: { id: input.id, vector, ...settings } });
      } else {
        const { pictureBytes } = this.#services.limits;
        const picture = input.url ?? pictureFromBase64(input.image ?? '', pictureBytes);
        this.addPicture({ id: input.id, picture, ...settings });
      }
    } catch (error) {
      this.addInvalid(idOf(value), error);
    }
  }

  addPicture(item: PictureItem): void {
    this.#places.push(this.#prepared.length);
    this.#pictures.push(item);
    this.#prepared.push(undefined);
  }

  /** Throws what is not the item's own fault. */
  addInvalid(id: string, error: unknown): void {
    this.#prepared.push({ id, error: itemErrorOf(error) });
  }

  #vectorOf(values: readonly number[]): Float32Array {
    if (values.length > this.#slab.length) this.#slab = new Float32Array(Math.max(slabLength, values.length));
    const vector = this.#slab.subarray(0, values.length);
    vector.set(values);
    this.#slab = this.#slab.subarray(values.length);
    return vector;
  }

  /** Encodes the pictures, and stores all that is in order in one commit. */
  async commit(): Promise<Ingested> {
    const encoded = await preparePictures(
      this.#services,
      this.#collection,
      this.#pictures,
      this.#options.signal,
    );
    encoded.forEach((one, index) => {
      this.#prepared[this.#places[index] as number] = one;
    });
    return commitItems(this.#collection, this.#prepared as Prepared[], this.#options);
  }
}

function answerOf(prepared: Prepared, result: EngineResult): UpsertResult {
  const answer = upsertResultAnswer(result);
  const picture = 'picture' in prepared ? prepared.picture : undefined;
  return answer.status === 'stored' && picture !== undefined ? { ...answer, picture } : answer;
}

/** Commits what is ready; the others keep their error. */
async function commitItems(
  collection: Collection,
  prepared: readonly Prepared[],
  options: IngestOptions,
): Promise<Ingested> {
  const items = prepared.flatMap((one) => ('item' in one ? [one.item] : []));
  const written = await patiently(options, () =>
    collection.upsert(
      items,
      options.unlessSimilar === undefined ? {} : { unlessSimilar: options.unlessSimilar },
    ),
  );
  let next = 0;
  const results = prepared.map((one): UpsertResult => {
    if ('error' in one) return { id: one.id, status: 'invalid', error: one.error };
    const result = written.results[next++];
    if (result === undefined) throw new Error('the engine gave too few results');
    return answerOf(one, result);
  });
  return { version: written.version, results };
}

/** What is refused as `overloaded` has not been done: it can be tried again. */
async function patiently<T>({ patience = 0, signal }: IngestOptions, write: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const isOverloaded = error instanceof LookalikeError && error.code === 'overloaded';
      if (!isOverloaded || performance.now() >= deadline) throw error;
      await setTimeout(overloadDelay, undefined, { signal });
    }
  }
}
