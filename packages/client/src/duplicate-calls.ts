import type {
  DuplicateGroup,
  DuplicatesJob,
  FindDuplicates,
  Verdict,
  VerdictAnswer,
} from '@lookalike/api/schemas';
import { LookalikeApiError } from './api-error.ts';
import { QueryCalls } from './query-calls.ts';
import { collectionPath } from './resource-paths.ts';
import { type CallOptions, sleep } from './transport.ts';

/** Groups of what is alike in a whole collection. */
export class DuplicateCalls extends QueryCalls {
  /** Starts a search for near-duplicates; see `duplicatesPage`. */
  startDuplicates(
    collection: string,
    request: FindDuplicates = {},
    options: CallOptions = {},
  ): Promise<DuplicatesJob> {
    return this.transport.sendJson('POST', `${collectionPath(collection)}/duplicates`, request, options);
  }

  /** State of the job, and a page of its groups once it is done. */
  duplicatesPage(
    collection: string,
    job: string,
    options: CallOptions & { limit?: number; cursor?: string; include?: 'metadata' } = {},
  ): Promise<DuplicatesJob> {
    const { limit, cursor, include, signal } = options;
    return this.transport.json({
      method: 'GET',
      path: `${collectionPath(collection)}/duplicates/${encodeURIComponent(job)}`,
      query: { limit, cursor, include },
      signal,
    });
  }

  /** Groups of near-duplicates, once the server has found them all. */
  async *duplicates(
    collection: string,
    request: FindDuplicates = {},
    options: CallOptions & {
      include?: 'metadata';
      onProgress?: (progress: DuplicatesJob['progress']) => void;
    } = {},
  ): AsyncGenerator<DuplicateGroup> {
    const { onProgress, include, signal } = options;
    const pageOptions = { signal, ...(include && { include }) };
    const { job } = await this.startDuplicates(collection, request, { signal });
    let page = await this.duplicatesPage(collection, job, pageOptions);
    for (let delay = 50; page.status === 'running'; delay = Math.min(2 * delay, 2000)) {
      onProgress?.(page.progress);
      await sleep(delay, signal);
      page = await this.duplicatesPage(collection, job, pageOptions);
    }
    if (page.status === 'failed') {
      throw new LookalikeApiError(
        500,
        page.error?.code ?? 'internal',
        page.error?.message ?? 'the search failed',
      );
    }
    for (;;) {
      yield* page.groups ?? [];
      if (page.cursor === undefined) return;
      page = await this.duplicatesPage(collection, job, { ...pageOptions, cursor: page.cursor });
    }
  }

  /** Remembers of pairs of items that they are different pictures, never to be grouped; `different: false` takes it back. */
  markDifferent(
    collection: string,
    pairs: Verdict['pairs'],
    options: CallOptions & { different?: boolean } = {},
  ): Promise<VerdictAnswer> {
    const { signal, ...settings } = options;
    return this.transport.sendJson(
      'POST',
      `${collectionPath(collection)}/different`,
      { pairs, ...settings },
      { signal },
    );
  }
}
