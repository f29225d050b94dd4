import { randomUUID } from 'node:crypto';
import { LookalikeError } from './errors.ts';
import type { ObjectStore } from './object-store.ts';

/** Creates of one key at once, of which one may win. */
const racers = 8;

/**
 * Refuses a store on which two writers can both create one key: it would lose writes and say nothing. Costs a dozen small
 * requests. Throws `unsafe-store`.
 */
export async function checkStore(store: ObjectStore): Promise<void> {
  const key = `lookalike-check/${randomUUID()}`;
  try {
    const outcomes = await Promise.all(
      Array.from({ length: racers }, (_, i) =>
        store.put(key, new TextEncoder().encode(`${i}`), { ifAbsent: true }).then(
          () => true,
          (error: unknown) => {
            if (error instanceof LookalikeError && error.code === 'object-exists') return false;
            // Of two at once S3 may refuse one with 409.
            return undefined;
          },
        ),
      ),
    );
    const won = outcomes.flatMap((outcome, i) => (outcome === true ? [i] : []));
    if (outcomes.every((outcome) => outcome === undefined))
      throw new LookalikeError('store-unavailable', `cannot write to ${store.description}`);
    const found = await store.get(key);
    const text = found === undefined ? undefined : new TextDecoder().decode(found.body);
    const again = await store.put(key, new TextEncoder().encode('again'), { ifAbsent: true }).then(
      () => 'created twice',
      () => 'refused',
    );
    if (won.length > 1 || again !== 'refused' || (won.length === 1 && text !== String(won[0])))
      throw new LookalikeError(
        'unsafe-store',
        `${store.description} ignores 'If-None-Match: *' on writes (${won.length} of ${racers} creates of one key succeeded): ` +
          'writes would be lost without a word. Use a store that honours it, as Amazon S3 does',
      );
  } finally {
    await store.delete([key]).catch(() => undefined);
  }
}
