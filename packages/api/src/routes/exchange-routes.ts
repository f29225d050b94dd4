import { z } from '@hono/zod-openapi';
import { exportArrow, importArrow } from '@lookalike/index';
import type { ApiApp, Services } from '../app-context.ts';
import { defineRoute } from '../define-route.ts';
import { upsertResultAnswer } from '../item-answer.ts';
import { mediaTypeOf, readChunks, unsupportedMediaType } from '../request-body.ts';
import type { ImportAnswer } from '../schemas.ts';
import { importAnswer } from '../schemas-items.ts';
import { collectionName } from '../schemas-values.ts';

const arrow = 'application/vnd.apache.arrow.stream';
const params = z.object({ collection: collectionName });
const binary = z.string().openapi({ format: 'binary' });

export function registerExchangeRoutes(app: ApiApp, { engine }: Services): void {
  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}/export',
      scope: 'read',
      operationId: 'exportItems',
      tag: 'Items',
      summary: 'All items as an Arrow IPC stream',
      description:
        'Columns: id, version, metadata (JSON as text), vector. A stream that breaks off has no end marker.',
      params,
      answers: { 200: { description: 'The stream.', content: { [arrow]: binary } } },
    },
    async (c, { params: { collection: name } }) => {
      const rows = exportArrow(await engine.collection(name));
      return c.body(ReadableStream.from(rows) as ReadableStream<Uint8Array<ArrayBuffer>>, 200, {
        'content-type': arrow,
        'content-disposition': `attachment; filename="${name}.arrows"`,
      });
    },
  );

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/import',
      scope: 'write',
      operationId: 'importItems',
      tag: 'Items',
      summary: 'Store the items of an Arrow IPC stream or file',
      description:
        'Columns: id, vector and, if there, metadata; others are ignored. A bad row does not stop the rest. Importing the same ' +
        'again changes nothing but versions.',
      params,
      body: {
        [arrow]: binary,
        'application/vnd.apache.arrow.file': binary,
        'application/octet-stream': binary,
      },
      answers: { 200: { description: 'What was stored.', content: { 'application/json': importAnswer } } },
    },
    async (c, { params: { collection: name } }) => {
      const type = mediaTypeOf(c.req.raw);
      if (!type.startsWith('application/vnd.apache.arrow') && type !== 'application/octet-stream') {
        throw unsupportedMediaType(type, arrow);
      }
      const { rows, stored, refused } = await importArrow(
        await engine.collection(name),
        readChunks(c.req.raw),
      );
      const answer: ImportAnswer = { rows, stored, refused: refused.map(upsertResultAnswer) };
      return c.json(answer);
    },
  );
}
