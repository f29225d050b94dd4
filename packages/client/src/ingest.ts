import type { ItemInput, Problem, UpsertLine } from '@lookalike/api/schemas';
import { LookalikeApiError } from './api-error.ts';
import { parseAnswer, type Transport } from './transport.ts';

export interface IngestOptions {
  unlessSimilar?: number;
  /** Hash of the encoder that made the vectors. */
  encoder?: string;
  signal?: AbortSignal;
  /** Most bytes of JSON in one request; default 4 MiB. A request is tried again as a whole where it is lost. */
  requestBytes?: number;
  /** Most items in one request; default 5000. */
  requestItems?: number;
}

interface Chunk {
  /** Lines of JSON. */
  body: string;
  /** An item is bound to a version: see `Call.once`. */
  once: boolean;
}

/** Chunks of bounded size, without holding more than one of them. */
async function* chunksOf(
  items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
  options: IngestOptions,
): AsyncGenerator<Chunk> {
  const requestBytes = options.requestBytes ?? 4 * 1024 * 1024;
  const requestItems = options.requestItems ?? 5000;
  let lines: string[] = [];
  let size = 0;
  let once = false;
  for await (const item of items) {
    const line = JSON.stringify(item);
    const bytes = bytesOf(line) + 1;
    if (lines.length > 0 && (size + bytes > requestBytes || lines.length >= requestItems)) {
      yield { body: lines.join('\n'), once };
      lines = [];
      size = 0;
      once = false;
    }
    lines.push(line);
    size += bytes;
    // What is no item the server refuses, by itself.
    once ||= item?.ifVersion !== undefined;
  }
  if (lines.length > 0) yield { body: lines.join('\n'), once };
}

const encoder = new TextEncoder();

/** As UTF-8, in which a character has up to three times as many bytes as a string counts for it. */
function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/**
 * Sends items of any number, and yields what became of them after each commit, numbered from 0 over all of them. Requests of bounded
 * size instead of one endless one: those work in every browser, and can be tried again.
 */
export async function* ingest(
  transport: Transport,
  path: string,
  items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
  options: IngestOptions,
): AsyncGenerator<UpsertLine> {
  let from = 0;
  for await (const { body, once } of chunksOf(items, options)) {
    const answer = await transport.text({
      method: 'POST',
      path,
      query: { unlessSimilar: options.unlessSimilar, encoder: options.encoder },
      headers: { 'content-type': 'application/x-ndjson' },
      body,
      signal: options.signal,
      once,
    });
    const answers = answer.split('\n').filter((line) => line !== '');
    let count = 0;
    for (const text of answers) {
      const line = parseAnswer<UpsertLine | { problem: Problem }>(text);
      if ('problem' in line) {
        const { problem } = line;
        throw new LookalikeApiError(problem.status, problem.code, problem.detail, { problem });
      }
      count += line.count;
      yield {
        ...line,
        from: line.from + from,
        results: line.results.map((result) => ({ ...result, index: result.index + from })),
      };
    }
    from += count;
  }
}
