import { type Item, LookalikeApiError, type LookalikeClient, type Metadata } from '@lookalike/client';
import { errorText } from './cli-error.ts';
import { forEachConcurrently } from './concurrency.ts';
import { printable } from './duplicate-table.ts';
import type { IngestSource } from './ingest-sources.ts';
import type { FileError } from './picture-scan.ts';

/** Each file is counted once: stored, replaced, unchanged, similar or an error. */
export interface IngestResult {
  /** New ones. */
  stored: number;
  /** Took the place of another picture of the same id. They keep its metadata; in a deployment they have that of their object and sidecar. */
  replaced: number;
  /** Were there already with the same bytes. */
  unchanged: number;
  /** Not stored because of `unlessSimilar`: the file and what is there. */
  similar: { path: string; match: string; similarity: number }[];
  errors: FileError[];
}

export interface IngestPicturesOptions {
  collection: string;
  concurrency: number;
  /** Put before each path to make the id. */
  prefix?: string;
  unlessSimilar?: number;
  signal: AbortSignal;
  onProgress?: (done: number) => void;
}

const LOOKED_UP_AT_ONCE = 1000;

/** Times that an item which others change meanwhile is looked at again. */
const ATTEMPTS = 5;

/**
 * Stores pictures under `prefix` and their paths. What is there with the same bytes is left alone, so that a second run, or one after
 * an interruption, sends only what is new; where other bytes are there, the picture is replaced and the rest of the metadata kept. A
 * bad file is its own error; an error of the server ends the run.
 */
export async function ingestPictures(
  client: LookalikeClient,
  files: readonly IngestSource[],
  options: IngestPicturesOptions,
): Promise<IngestResult> {
  const { collection, prefix = '', signal } = options;
  const result = { stored: 0, replaced: 0, unchanged: 0, similar: [], errors: [] } as IngestResult;
  let done = 0;

  const ingestOne = async (file: IngestSource, there: Item | undefined): Promise<void> => {
    const id = prefix + file.path;
    for (let attempt = 1; ; attempt++) {
      if (there !== undefined && (await file.contentHash()) === contentHashOf(there)) {
        result.unchanged++;
        return;
      }
      try {
        const answer = await client.putPicture(collection, id, await file.read(), {
          signal,
          ...(there !== undefined && { metadata: labelsOf(there), ifVersion: there.version }),
          ...(options.unlessSimilar !== undefined && { unlessSimilar: options.unlessSimilar }),
        });
        if (answer.status === 'stored') result[there === undefined ? 'stored' : 'replaced']++;
        else if (answer.match)
          result.similar.push({
            path: file.path,
            match: answer.match.id,
            similarity: answer.match.similarity,
          });
        return;
      } catch (error) {
        if (!(error instanceof LookalikeApiError && error.status === 412) || attempt === ATTEMPTS)
          throw error;
        there = (await client.getItems(collection, [id], { signal }))[0] ?? undefined;
      }
    }
  };

  for (let start = 0; start < files.length; start += LOOKED_UP_AT_ONCE) {
    const batch = files.slice(start, start + LOOKED_UP_AT_ONCE);
    const ids = batch.map(({ path }) => prefix + path).filter(isId);
    const found = ids.length === 0 ? [] : await client.getItems(collection, ids, { signal });
    const there = new Map(found.flatMap((item) => (item === null ? [] : [[item.id, item]])));
    await forEachConcurrently(
      batch,
      options.concurrency,
      async (file) => {
        try {
          await ingestOne(file, there.get(prefix + file.path));
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

/** SHA-256 of the picture, where the item has one. */
function contentHashOf({ metadata: { picture } }: Item): string | undefined {
  return picture && typeof picture === 'object' && 'sha256' in picture ? String(picture.sha256) : undefined;
}

/** What was said of the picture, without what the server found in its file. */
function labelsOf({ metadata }: Item): Metadata {
  const { picture: _, ...labels } = metadata;
  return labels;
}

/** Others are refused one by one when they are sent; among those asked for, one would fail them all. */
const isId = (path: string) => Buffer.byteLength(path) <= 512 && path === printable(path);

/** Refused because of what was sent, so that the next file may fare better. */
function isOfTheItem({ status }: LookalikeApiError): boolean {
  return (
    status === 400 || status === 409 || status === 412 || status === 413 || status === 415 || status === 422
  );
}
