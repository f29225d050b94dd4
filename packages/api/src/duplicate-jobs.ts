import { createHash } from 'node:crypto';
import type { LedgerStore } from '@lookalike/duplicates';
import type { Collection, Filter } from '@lookalike/index';
import type { ObjectStore } from '@lookalike/store';
import { LookalikeError } from '@lookalike/store';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { FoundDuplicates } from './duplicate-search.ts';
import { readVerdicts } from './duplicate-verdicts.ts';
import { isServerFailure, itemErrorOf } from './problems.ts';
import type { DuplicateGroup, DuplicatesJob } from './schemas.ts';

/** Groups in one stored object: a page is read without reading all. */
const groupsAPart = 500;
/** A running job is written this often (milliseconds), and counts as lost after three times that without a sign of life. */
const signOfLife = 10_000;

type JobState = Omit<DuplicatesJob, 'groups' | 'cursor'>;

export interface DuplicatesRequest {
  minSimilarity: number;
  minHashSimilarity?: number | undefined;
  filter?: Filter | undefined;
}

/**
 * Searches for duplicates that run in this process and leave their results in the object store, where any process can read
 * them: `collections/<name>/duplicates/<job>/state.json` and `part-<number>.json`. The pairs they found stay in
 * `collections/<name>/duplicates/pairs-<hash of the filter>` for the next search, which compares only what is new; a search that
 * was lost with its process leaves them as far as it had come.
 */
export class DuplicateJobs {
  readonly #objects: ObjectStore;
  readonly #logFailure: (error: unknown) => void;

  constructor(objects: ObjectStore, logFailure: (error: unknown) => void) {
    this.#objects = objects;
    this.#logFailure = logFailure;
  }

  /** `done` settles when the job has ended, well or not; it never rejects. */
  async start(
    collection: Collection,
    request: DuplicatesRequest,
  ): Promise<{ job: JobState; done: Promise<JobState> }> {
    const { name } = collection.info;
    const state: JobState = {
      job: crypto.randomUUID(),
      status: 'running',
      minSimilarity: request.minSimilarity,
      progress: { done: 0, total: 0 },
    };
    await this.#write(name, state);
    return { job: state, done: this.#run(collection, state, request) };
  }

  async #run(collection: Collection, first: JobState, request: DuplicatesRequest): Promise<JobState> {
    const { name } = collection.info;
    let state = first;
    let writing: Promise<void> | undefined;
    const alive = setInterval(() => {
      // One at a time: of two the later may come first, and what stays is the earlier.
      writing ??= this.#write(name, state)
        .catch(this.#logFailure)
        .finally(() => {
          writing = undefined;
        });
    }, signOfLife);
    alive.unref();
    try {
      // Much code, which a cold start for anything else has no time for.
      const { findDuplicates } = await import('./duplicate-search.ts');
      const found = await findDuplicates(collection, {
        ...request,
        ledger: this.#ledger(name, request.filter),
        different: await readVerdicts(this.#objects, name),
        signal: new AbortController().signal,
        onProgress: (progress) => {
          state = { ...state, progress };
        },
      });
      await this.#writeParts(name, first.job, found.groups);
      state = doneState(state, found);
    } catch (error) {
      if (isServerFailure(error)) this.#logFailure(error);
      const why = isServerFailure(error)
        ? { code: 'internal', message: 'the search failed; the log of the server has more' }
        : itemErrorOf(error);
      state = { ...state, status: 'failed', error: why };
    }
    clearInterval(alive);
    // A sign of life that is still under way must not come after the end.
    await writing;
    await this.#write(name, state).catch(this.#logFailure);
    return state;
  }

  /** State of a job, with a page of its groups where it is done. Throws `unknown-job`, `invalid-cursor`. */
  async read(
    collection: string,
    job: string,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<DuplicatesJob> {
    const from = Number(decodeCursor(`duplicates ${job}`, page.cursor) ?? 0);
    const found = await this.#objects.get(`${folderOf(collection, job)}/state.json`);
    if (found === undefined)
      throw new LookalikeError('unknown-job', `there is no job ${job} in ${collection}`);
    const state = JSON.parse(new TextDecoder().decode(found.body)) as JobState;
    if (state.status === 'running' && Date.now() - found.lastModified.getTime() > 3 * signOfLife) {
      const message = 'the server that ran the job has stopped; start it again';
      return { ...state, status: 'failed', error: { code: 'job-lost', message } };
    }
    if (state.status !== 'done') return state;
    const total = state.groupCount ?? 0;
    const to = Math.min(total, from + page.limit);
    const groups: DuplicateGroup[] = [];
    for (let at = from; at < to; ) {
      const part = await this.#readPart(collection, job, Math.floor(at / groupsAPart));
      const taken = part.slice(at % groupsAPart, (at % groupsAPart) + to - at);
      if (taken.length === 0) break;
      groups.push(...taken);
      at += taken.length;
    }
    return {
      ...state,
      groups,
      ...(to < total ? { cursor: encodeCursor(`duplicates ${job}`, String(to)) } : {}),
    };
  }

  #ledger(collection: string, filter: Filter | undefined): LedgerStore {
    const name = createHash('sha256')
      .update(JSON.stringify(filter ?? null))
      .digest('hex');
    const key = `collections/${collection}/duplicates/pairs-${name}`;
    return {
      load: async () => (await this.#objects.get(key))?.body,
      save: async (bytes) => {
        await this.#objects.put(key, bytes);
      },
    };
  }

  async #write(collection: string, state: JobState): Promise<void> {
    await this.#objects.put(`${folderOf(collection, state.job)}/state.json`, jsonOf(state));
  }

  async #writeParts(collection: string, job: string, groups: readonly DuplicateGroup[]): Promise<void> {
    for (let part = 0; part * groupsAPart < groups.length; part++) {
      const body = jsonOf(groups.slice(part * groupsAPart, (part + 1) * groupsAPart));
      await this.#objects.put(`${folderOf(collection, job)}/part-${part}.json`, body);
    }
  }

  async #readPart(collection: string, job: string, part: number): Promise<DuplicateGroup[]> {
    const key = `${folderOf(collection, job)}/part-${part}.json`;
    const found = await this.#objects.get(key);
    if (found === undefined) throw new LookalikeError('missing-object', `${key} is missing`);
    return JSON.parse(new TextDecoder().decode(found.body)) as DuplicateGroup[];
  }
}

function doneState(state: JobState, found: FoundDuplicates): JobState {
  const { version, groups, complete, pairRecall, known } = found;
  const { total } = state.progress;
  return {
    ...state,
    status: 'done',
    version,
    progress: { done: total, total },
    groupCount: groups.length,
    known,
    complete,
    pairRecall,
  };
}

function folderOf(collection: string, job: string): string {
  return `collections/${collection}/duplicates/${job}`;
}

function jsonOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
