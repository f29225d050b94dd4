import type { ItemInput, Problem, UpsertLine } from '@lookalike/api/schemas';
import { LookalikeApiError } from './api-error.ts';
import type { Transport } from './transport.ts';

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

/** Lines of JSON of bounded size, without holding more than one of them. */
async function* chunksOf(
  items: AsyncIterable<ItemInput> | Iterable<ItemInput>,
  options: IngestOptions,
): AsyncGenerator<string> {
  const requestBytes = options.requestBytes ?? 4 * 1024 * 1024;
  const requestItems = options.requestItems ?? 5000;
  let lines: string[] = [];
  let size = 0;
  for await (const item of items) {
    const line = JSON.stringify(item);
    if (lines.length > 0 && (size + line.length > requestBytes || lines.length >= requestItems)) {
      yield lines.join('\n');
      lines = [];
      size = 0;
    }
    lines.push(line);
    size += line.length;
  }
  if (lines.length > 0) yield lines.join('\n');
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
  for await (const body of chunksOf(items, options)) {
    const response = await transport.send({
      method: 'POST',
      path,
      query: { unlessSimilar: options.unlessSimilar, encoder: options.encoder },
      headers: { 'content-type': 'application/x-ndjson' },
      body,
      signal: options.signal,
    });
    const answers = (await response.text()).split('\n').filter((line) => line !== '');
    let count = 0;
    for (const text of answers) {
      const line = JSON.parse(text) as UpsertLine | { problem: Problem };
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
