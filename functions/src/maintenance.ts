import type { Administration, CollectionStats, SearchEngine } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';

type Engine = SearchEngine & Administration;

/** Rows not in a segment from which indexing is worth a function's time; fewer wait for the sweep. */
const worthIndexing = 1000;
/** The same of commits: each is an object that a cold reader fetches, one of deletes too. */
const commitsWorthIndexing = 500;

interface IndexMessage {
  messageId: string;
  /** `{"key": "collections/<name>/log/…"}` of a commit, or `{"collection": "<name>"}` of the sweep. */
  body: string;
}

/**
 * One job a collection, however many of its commits are in the batch. The answer names the messages to deliver again. A message
 * that names no collection is dropped: no try could make it one.
 */
export async function indexBatch(
  engine: Engine,
  messages: readonly IndexMessage[],
  { onFailure }: { onFailure: (collection: string, error: unknown) => void },
): Promise<string[]> {
  const failed: string[] = [];
  const jobs = Map.groupBy(messages, ({ body }) => parse(body).name ?? '');
  for (const [name, ofCollection] of jobs) {
    if (name === '') continue;
    const asked = ofCollection.some(({ body }) => parse(body).asked);
    try {
      const collection = await engine.collection(name);
      if (asked || isLong(await collection.stats())) await engine.compact(name);
    } catch (error) {
      if (error instanceof LookalikeError && error.code === 'unknown-collection') continue;
      onFailure(name, error);
      failed.push(...ofCollection.map(({ messageId }) => messageId));
    }
  }
  return failed;
}

function isLong({ tailRows, tailCommits }: CollectionStats): boolean {
  return tailRows >= worthIndexing || tailCommits >= commitsWorthIndexing;
}

function parse(body: string): { name?: string; asked: boolean } {
  const message = parseObject(body);
  if (typeof message.collection === 'string') return { name: message.collection, asked: true };
  const key = typeof message.key === 'string' ? message.key : '';
  const [, name] = /^collections\/([^/]+)\/log\//.exec(key) ?? [];
  return name === undefined ? { asked: false } : { name, asked: false };
}

/** Of what is no JSON object, one without fields. */
function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Visits every collection; a failure at one is reported and the others are visited all the same. */
export async function everyCollection(
  engine: Engine,
  visit: (name: string, stats: CollectionStats) => Promise<void>,
  onFailure: (collection: string, error: unknown) => void,
): Promise<void> {
  let after: string | undefined;
  do {
    const page = await engine.listCollections(after === undefined ? {} : { after });
    for (const { name } of page.collections) {
      try {
        await visit(name, await (await engine.collection(name)).stats());
      } catch (error) {
        onFailure(name, error);
      }
    }
    after = page.next;
  } while (after !== undefined);
}
