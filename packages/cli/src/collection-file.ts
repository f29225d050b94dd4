import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Collection, Item, ItemInput } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';

/**
 * A collection as lines of JSON: first `{"lookalike": 1, "collection": {…}}`, then one item a line,
 * `{"id", "vector", "metadata"}`. Thumbnails are not part of it.
 */
export const FORMAT = 1;

export interface CollectionHeader {
  lookalike: typeof FORMAT;
  collection: Pick<Collection, 'name' | 'dimension' | 'metric' | 'encoder' | 'hnsw'>;
}

export function headerLine({ name, dimension, metric, encoder, hnsw }: Collection): string {
  const header: CollectionHeader = {
    lookalike: FORMAT,
    collection: { name, dimension, metric, hnsw, ...(encoder && { encoder }) },
  };
  return `${JSON.stringify(header)}\n`;
}

export function itemLine({ id, vector, metadata }: Item): string {
  return `${JSON.stringify({ id, vector, metadata })}\n`;
}

/**
 * Reads such a file (`-`: standard input) line by line.
 * @throws LookalikeError `invalid-export` naming the line.
 */
export async function readCollectionFile(
  path: string,
): Promise<{ header: CollectionHeader; items: AsyncGenerator<ItemInput> }> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  const lines = (async function* () {
    let number = 0;
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (text !== '') yield { number, value: parsed(text, path, number) };
    }
  })();
  const first = await lines.next();
  const header = first.done ? undefined : (first.value.value as Partial<CollectionHeader>);
  if (header?.lookalike !== FORMAT || header.collection === undefined)
    throw new LookalikeError(
      'invalid-export',
      `${path}: the first line is not {"lookalike": ${FORMAT}, "collection": …}: expected a file of "lookalike export"`,
    );
  return {
    header: header as CollectionHeader,
    items: (async function* () {
      for await (const { value } of lines) yield value as ItemInput;
    })(),
  };
}

function parsed(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LookalikeError(
      'invalid-export',
      `${path}:${line}: not a line of JSON; the file may have been cut short`,
    );
  }
}
