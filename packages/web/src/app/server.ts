import type {
  Collection,
  CollectionList,
  CollectionStats,
  CompareAnswer,
  DuplicatesJob,
  Health,
  Item,
  ItemList,
  ModelList,
  Problem,
  PutItemAnswer,
  QueryAnswer,
  RecallReport,
} from '../../../api/src/schemas.ts';

export type {
  Collection,
  CollectionStats,
  CompareAnswer,
  DuplicateGroup,
  DuplicateItem,
  DuplicatesJob,
  Item,
  Match,
  Model,
  Picture,
  RecallReport,
} from '../../../api/src/schemas.ts';

/** An answer of the server that is a problem, or no answer at all (`status` 0, code `unreachable`). */
export class ServerProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;

  constructor(status: number, code: string, message: string, requestId?: string) {
    super(message);
    this.name = 'ServerProblem';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

const keyName = 'lookalike-key';

/** Kept for this tab only. */
export const savedKey = (): string | null => sessionStorage.getItem(keyName);

export function saveKey(key: string): void {
  if (key) sessionStorage.setItem(keyName, key);
  else sessionStorage.removeItem(keyName);
}

const collectionPath = (collection: string) => `/v1/collections/${encodeURIComponent(collection)}`;
const itemPath = (collection: string, id: string) =>
  `${collectionPath(collection)}/items/${encodeURIComponent(id)}`;

/** With the picture's hash the browser never asks twice; without it, it asks whether it is still the same. */
export const thumbnailPath = (collection: string, id: string, sha256?: string): string =>
  `${itemPath(collection, id)}/thumbnail${sha256 === undefined ? '' : `?sha256=${sha256}`}`;

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const key = savedKey();
  if (key) headers.set('authorization', `Bearer ${key}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ServerProblem(0, 'unreachable', 'The server does not answer. Is it still running?');
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  throw new ServerProblem(
    response.status,
    problem.code ?? 'unknown',
    problem.detail ?? problem.title ?? `The server answered ${response.status} ${response.statusText}.`,
    problem.requestId,
  );
}

const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await request(path, signal ? { signal } : {})).json();

const send = async <T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  (
    await request(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {}),
    })
  ).json();

/** A file, or the stored vector of an item: the full picture of an item is not kept by the server. */
export type PictureToCompare = Blob | { vector: number[] };

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

export const server = {
  health: (signal?: AbortSignal) => get<Health>('/healthz', signal),
  models: (signal?: AbortSignal) => get<ModelList>('/v1/models', signal),

  async collections(signal?: AbortSignal): Promise<Collection[]> {
    const all: Collection[] = [];
    let cursor: string | undefined;
    do {
      const query: string = cursor ? `?cursor=${encodeURIComponent(cursor)}` : '';
      const page = await get<CollectionList>(`/v1/collections${query}`, signal);
      all.push(...page.collections);
      cursor = page.cursor;
    } while (cursor);
    return all;
  },

  createCollection: (name: string, body: { model?: string }) =>
    send<Collection>('PUT', collectionPath(name), body),

  stats: (collection: string, signal?: AbortSignal) =>
    get<CollectionStats>(`${collectionPath(collection)}/stats`, signal),

  items: (collection: string, limit: number, signal?: AbortSignal) =>
    get<ItemList>(`${collectionPath(collection)}/items?limit=${limit}`, signal),

  item: (collection: string, id: string, include: 'metadata' | 'vector', signal?: AbortSignal) =>
    get<Item>(`${itemPath(collection, id)}?include=${include}`, signal),

  putPicture: async (
    collection: string,
    id: string,
    picture: Blob,
    type: string,
    signal?: AbortSignal,
  ): Promise<PutItemAnswer> =>
    (
      await request(itemPath(collection, id), {
        method: 'PUT',
        headers: { 'content-type': type },
        body: picture,
        ...(signal ? { signal } : {}),
      })
    ).json(),

  queryItem: (collection: string, id: string, topK: number, signal?: AbortSignal) =>
    send<QueryAnswer>('POST', `${collectionPath(collection)}/query`, { id, topK }, signal),

  queryPicture: async (
    collection: string,
    picture: Blob,
    type: string,
    topK: number,
    signal?: AbortSignal,
  ): Promise<QueryAnswer> =>
    (
      await request(`${collectionPath(collection)}/query?topK=${topK}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: picture,
        ...(signal ? { signal } : {}),
      })
    ).json(),

  compare: async (
    a: PictureToCompare,
    b: PictureToCompare,
    model: string | undefined,
    signal?: AbortSignal,
  ): Promise<CompareAnswer> => {
    if (a instanceof Blob && b instanceof Blob) {
      // As a form: base64 in JSON would be a third larger and has a lower limit.
      const form = new FormData();
      form.set('a', a);
      form.set('b', b);
      if (model) form.set('model', model);
      const init = { method: 'POST', body: form, ...(signal ? { signal } : {}) };
      return (await request('/v1/compare', init)).json();
    }
    const side = async (one: PictureToCompare) => (one instanceof Blob ? { image: await base64(one) } : one);
    const [first, second] = await Promise.all([side(a), side(b)]);
    return send('POST', '/v1/compare', { a: first, b: second, ...(model ? { model } : {}) }, signal);
  },

  findDuplicates: (collection: string, minSimilarity: number | undefined) =>
    send<DuplicatesJob>(
      'POST',
      `${collectionPath(collection)}/duplicates`,
      minSimilarity === undefined ? {} : { minSimilarity },
    ),

  duplicatesJob: (
    collection: string,
    job: string,
    page: { cursor?: string | undefined; limit: number },
    signal?: AbortSignal,
  ) => {
    const query = new URLSearchParams({ limit: String(page.limit) });
    if (page.cursor) query.set('cursor', page.cursor);
    return get<DuplicatesJob>(
      `${collectionPath(collection)}/duplicates/${encodeURIComponent(job)}?${query}`,
      signal,
    );
  },

  recall: (collection: string, body: { sample?: number; k?: number }, signal?: AbortSignal) =>
    send<RecallReport>('POST', `${collectionPath(collection)}/recall`, body, signal),

  thumbnail: async (path: string, signal?: AbortSignal): Promise<Blob> =>
    (await request(path, signal ? { signal } : {})).blob(),
};
