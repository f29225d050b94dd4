import { type Collection, openEngine } from '@lookalike/index';
import { LookalikeError, MemoryStore } from '@lookalike/store';
import { expect, it } from 'vitest';
import { openTestApp } from './testing/test-app.ts';

/** An engine that refuses the first so many writes, as one that has too much to index does. */
function busyEngine(store: MemoryStore, refusals: number) {
  const engine = openEngine({ store, commitWindow: 0 });
  const open = engine.collection.bind(engine);
  let left = refusals;
  engine.collection = async (name) => {
    const collection = await open(name);
    return new Proxy(collection, {
      get(target, property) {
        if (property === 'upsert' && left > 0) {
          return () => {
            left--;
            return Promise.reject(new LookalikeError('overloaded', 'too much to index'));
          };
        }
        const value = target[property as keyof Collection];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return engine;
}

it('waits for a collection that has too much to index, and loses nothing; a batch is refused', async () => {
  const store = new MemoryStore();
  const { app, send } = openTestApp({ engine: busyEngine(store, 3), objects: store });
  await send('PUT', '/v1/collections/v', { dimension: 2 });
  const items = [{ id: 'a', vector: [1, 2] }];
  const refused = await send('POST', '/v1/collections/v/items', { items });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);

  const lines = Array.from({ length: 6000 }, (_, n) => JSON.stringify({ id: `i${n}`, vector: [n, 1] }));
  const answer = await app.request('http://localhost/v1/collections/v/items', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  const commits = (await answer.text()).trim().split('\n');
  expect(commits.map((line) => (JSON.parse(line) as { stored: number }).stored)).toEqual([5000, 1000]);
});
