import { z } from '@hono/zod-openapi';
import { LookalikeError } from '@lookalike/store';
import type { ApiApp, Services } from '../app-context.ts';
import { matchesEtag, readConditions } from '../conditional-requests.ts';
import { defineRoute } from '../define-route.ts';
import { keptPicture } from '../kept-picture.ts';
import { collectionName, itemId } from '../schemas-values.ts';
import { readThumbnail } from '../thumbnails.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits');

const pictureEtag = z.object({
  ETag: z
    .string()
    .regex(/^"[0-9a-f]{64}"$/)
    .openapi({ description: 'SHA-256 of the picture, in quotation marks.' }),
});

export function registerThumbnailRoutes(app: ApiApp, { engine, objects }: Services): void {
  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}/items/{id}/thumbnail',
      scope: 'read',
      operationId: 'getThumbnail',
      tag: 'Items',
      summary: 'A small WebP of an ingested picture, at most 256 pixels a side',
      description:
        'With `sha256` (from `metadata.picture.sha256`) the answer never changes and may be cached for ever; without it, it is ' +
        'the picture that the item has now, to be asked for again with `If-None-Match`.',
      params: z.object({ collection: collectionName, id: itemId }),
      query: z.strictObject({ sha256: sha256.optional() }),
      headers: readConditions,
      answers: {
        200: {
          description: 'The thumbnail.',
          headers: pictureEtag,
          content: { 'image/webp': z.string().openapi({ format: 'binary' }) },
        },
        304: { description: 'Still the one that `If-None-Match` names.', headers: pictureEtag },
      },
    },
    async (c, { params: { collection: name, id }, query }) => {
      const collection = await engine.collection(name);
      const [item] = await collection.get([id]);
      if (item === undefined) throw new LookalikeError('unknown-item', `there is no item ${id} in ${name}`);
      const { sha256: current } = keptPicture(item.metadata);
      const missing = new LookalikeError('no-thumbnail', `the item ${id} has no thumbnail of this picture`);
      if (current === undefined) throw missing;
      // Only of the picture that the item has: one that was replaced or deleted is not shown any more.
      if (query.sha256 !== undefined && query.sha256 !== current) throw missing;
      const headers = {
        etag: `"${current}"`,
        'cache-control':
          query.sha256 === undefined ? 'private, no-cache' : 'private, max-age=31536000, immutable',
      };
      if (matchesEtag(c, headers.etag)) return c.body(null, 304, headers);
      const body = await readThumbnail(objects, name, current);
      if (body === undefined) throw missing;
      return c.body(body as Uint8Array<ArrayBuffer>, 200, { ...headers, 'content-type': 'image/webp' });
    },
  );
}
