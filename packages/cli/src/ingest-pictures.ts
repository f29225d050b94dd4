import { LookalikeApiError, type LookalikeClient } from '@lookalike/client';
import { errorText } from './cli-error.ts';
import { forEachConcurrently } from './concurrency.ts';
import { printable } from './duplicate-table.ts';
import type { IngestSource } from './ingest-sources.ts';
import type { FileError } from './picture-scan.ts';

export interface IngestResult {
  stored: number;
  /** Were there already with the same bytes. */
  unchanged: number;
  /** Not stored because of `unlessSimilar`: the file and what is there. */
  similar: { path: string; match: string; similarity: number }[];
  errors: FileError[];
}

export interface IngestPicturesOptions {
  collection: string;
  concurrency: number;
  unlessSimilar?: number;
  signal: AbortSignal;
  onProgress?: (done: number) => void;
}

const LOOKED_UP_AT_ONCE = 1000;

/**
 * Stores pictures under their paths. What is there with the same bytes is left alone, so that a second run, or one after an
 * interruption, sends only what is new. A bad file is its own error; an error of the server ends the run.
 */
export async function ingestPictures(
  client: LookalikeClient,
  files: readonly IngestSource[],
  options: IngestPicturesOptions,
): Promise<IngestResult> {
  const { collection, signal } = options;
  const result: IngestResult = { stored: 0, unchanged: 0, similar: [], errors: [] };
  let done = 0;

  const ingestOne = async (file: IngestSource, there: string | undefined): Promise<void> => {
    if (there !== undefined && (await file.contentHash()) === there) {
      result.unchanged++;
      return;
    }
    const answer = await client.putPicture(collection, file.path, await file.read(), {
      signal,
      ...(options.unlessSimilar !== undefined && { unlessSimilar: options.unlessSimilar }),
    });
    if (answer.status === 'stored') result.stored++;
    else if (answer.match)
      result.similar.push({
        path: file.path,
        match: answer.match.id,
        similarity: answer.match.similarity,
      });
  };

  for (let start = 0; start < files.length; start += LOOKED_UP_AT_ONCE) {
    const batch = files.slice(start, start + LOOKED_UP_AT_ONCE);
    const there = await hashesThere(client, collection, batch, signal);
    await forEachConcurrently(
      batch,
      options.concurrency,
      async (file) => {
        try {
          await ingestOne(file, there.get(file.path));
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof LookalikeApiError && !isOfTheItem(error)) throw error;
          result.errors.push({ path: file.path, error: errorText(error) });
        }
        options.onProgress?.(++done);
      },
      signal,
    );
  }
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  result.errors.sort(byPath);
  result.similar.sort(byPath);
  return result;
}

/** Of the items that are there: the SHA-256 of their picture. */
async function hashesThere(
  client: LookalikeClient,
  collection: string,
  files: readonly IngestSource[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const ids = files.map(({ path }) => path).filter(isId);
  const hashes = new Map<string, string>();
  if (ids.length === 0) return hashes;
  for (const item of await client.getItems(collection, ids, { signal })) {
    const picture = item?.metadata.picture;
    if (item && picture && typeof picture === 'object' && 'sha256' in picture)
      hashes.set(item.id, String(picture.sha256));
  }
  return hashes;
}

/** Others are refused one by one when they are sent; among those asked for, one would fail them all. */
const isId = (path: string) => Buffer.byteLength(path) <= 512 && path === printable(path);

/** Refused because of what was sent, so that the next file may fare better. */
function isOfTheItem({ status }: LookalikeApiError): boolean {
  return status === 400 || status === 409 || status === 413 || status === 415 || status === 422;
}
