import { z } from '@hono/zod-openapi';
import { LookalikeError } from '@lookalike/store';
import { collectionName, itemId } from '../schemas-values.ts';

export const collectionParams = z.object({ collection: collectionName });
export const itemParams = z.object({ collection: collectionName, id: itemId });
export const ndjson = 'application/x-ndjson';

export function unknownItem(collection: string, id: string): LookalikeError {
  return new LookalikeError('unknown-item', `there is no item ${id} in ${collection}`);
}
