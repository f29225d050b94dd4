import { randomUUID } from 'node:crypto';
import { LookalikeApiError, type LookalikeClient } from '@lookalike/client';
import { byteSize } from '../byte-size.ts';
import {
  type Examination,
  failed,
  type Outcome,
  ok,
  skipped,
  spread,
  timed,
  warning,
} from './examination.ts';

export interface ApiExamination {
  client: LookalikeClient;
  examination: Examination;
  /** Makes no collection for the round trip. */
  readOnly: boolean;
  /** Whether pictures of a usual camera need uploads there. */
  needsUploads: boolean;
}

/** From this many rows on that are in no segment the stack of AWS raises its alarm: queries slow down. */
const longTail = 200_000;
/** Collections looked at, of however many. */
const collectionsAtMost = 200;

/** What any deployment can be asked through its API, over HTTP or in this process. */
export async function examineApi({
  client,
  examination,
  readOnly,
  needsUploads,
}: ApiExamination): Promise<void> {
  const { signal } = examination;
  await examination.check('models', async () => {
    const { default: standard, models } = await client.models({ signal });
    const named = models.map(
      ({ name, dimension }) => `${name} (${dimension}${name === standard ? ', default' : ''})`,
    );
    return models.length === 0 ? warning('none: it takes vectors only') : ok(named.join(', '));
  });
  await examination.check('encoder', async () => {
    const picture = await testPicture();
    const { same, similarity } = await client.compare(picture, picture, { signal });
    return same
      ? ok('encodes a picture')
      : failed(`a picture is ${similarity} similar to itself, expected 1`);
  });
  await examination.check('limits', async () => {
    const { pictureBytes, jsonBytes, concurrentRequests } = await client.limits({ signal });
    return ok(
      `pictures of ${byteSize(pictureBytes)}, JSON of ${byteSize(jsonBytes)}, ${concurrentRequests} requests at once a process`,
    );
  });
  await examination.check('uploads', async () => {
    try {
      await client.createUpload({ bytes: 1, contentType: 'image/jpeg' }, { signal });
      return ok('gives addresses for large pictures');
    } catch (error) {
      if (!(error instanceof LookalikeApiError && error.code === 'no-uploads')) throw error;
      return needsUploads
        ? warning('none: pictures over about 4.5 MB are refused by Lambda')
        : skipped('not needed: requests take whole pictures');
    }
  });
  await examination.check('latency', async () =>
    ok(`${spread(await timed(9, () => client.models({ signal })))} a small request, of 9`),
  );
  await examination.check('collections', () => collectionsOutcome(client, signal));
  await examination.check('round trip', async () =>
    readOnly ? skipped('--read-only') : roundTrip(client, signal),
  );
}

async function collectionsOutcome(client: LookalikeClient, signal: AbortSignal): Promise<Outcome> {
  let items = 0;
  let count = 0;
  let more = false;
  let longest = { name: '', tailRows: 0 };
  const wasteful: string[] = [];
  const damaged: string[] = [];
  const collections = client.listCollections({
    signal,
    onDamaged: ({ name, detail }) => damaged.push(`${name} (${detail})`),
  });
  for await (const { name } of collections) {
    if (count === collectionsAtMost) {
      more = true;
      break;
    }
    count++;
    const stats = await client.stats(name, { signal });
    items += stats.items;
    if (stats.tailRows > longest.tailRows) longest = { name, tailRows: stats.tailRows };
    if (stats.deletedRows > 1000 && stats.deletedRows > stats.items) wasteful.push(name);
  }
  const tail =
    longest.tailRows === 0 ? 'all indexed' : `${longest.tailRows} not indexed yet in ${longest.name}`;
  const text = `${count}${more ? ' of more' : ''} with ${items} items, at most ${tail}`.replace(
    'at most all',
    'all',
  );
  if (damaged.length > 0) return failed(`cannot be read: ${damaged.join(', ')}; of the others ${text}`);
  if (longest.tailRows >= longTail)
    return warning(`${text}: the indexer does not keep up; see its log, or run "lookalike compact"`);
  if (wasteful.length > 0)
    return warning(
      `${text}; more rows deleted than alive in ${wasteful.join(', ')}: run "lookalike compact --full"`,
    );
  return ok(text);
}

/** Three vectors, written, found, read, deleted and no longer found, in a collection of its own that is dropped in the end. */
async function roundTrip(client: LookalikeClient, signal: AbortSignal): Promise<Outcome> {
  const name = `lookalike-doctor-${randomUUID().slice(0, 8)}`;
  try {
    await client.createCollection(name, { dimension: 4, metric: 'cosine' }, { signal });
  } catch (error) {
    if (error instanceof LookalikeApiError && error.code === 'forbidden')
      return skipped(`needs a key that may make a collection: ${error.message}`);
    throw error;
  }
  const times: string[] = [];
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    times.push(`${what} ${(performance.now() - started).toFixed(0)}`);
    return result;
  };
  try {
    const items = ['a', 'b', 'c'].map((id, at) => ({
      id,
      vector: [0, 1, 2, 3].map((dimension) => (dimension === at ? 1 : 0)),
      metadata: { at },
    }));
    const { stored, version } = await step('write', () => client.upsert(name, items, { signal }));
    if (stored !== 3) return failed(`stored ${stored} of 3 items`);
    const query = { vector: [0.1, 1, 0, 0], topK: 1 };
    const { matches } = await step('query', () => client.query(name, query, { signal }));
    if (matches[0]?.id !== 'b')
      return failed(`a query found ${matches[0]?.id ?? 'nothing'} right after the write, expected b`);
    const read = await step('read', () => client.getItem(name, 'b', { signal, minVersion: version }));
    if (read.metadata.at !== 1) return failed('an item came back with other metadata');
    await step('delete', () => client.deleteItem(name, 'b', { signal }));
    const after = await client.query(name, query, { signal });
    if (after.matches[0]?.id === 'b') return failed('a query found an item after it was deleted');
    return ok(`${times.join(', ')} ms`);
  } finally {
    // Also where it was interrupted: what was made for the check does not stay.
    await client.dropCollection(name);
  }
}

async function testPicture(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: sharp } = await import('sharp');
  const side = 64;
  const pixels = Uint8Array.from({ length: 3 * side * side }, (_, at) => (at * at) % 251);
  const png = sharp(pixels, { raw: { width: side, height: side, channels: 3 } }).png();
  return new Uint8Array(await png.toBuffer());
}
