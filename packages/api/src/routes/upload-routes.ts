import { LookalikeError } from '@lookalike/store';
import type { ApiApp, Services } from '../app-context.ts';
import { defineRoute } from '../define-route.ts';
import { readJson } from '../request-body.ts';
import { createUploadBody, upload } from '../schemas-uploads.ts';
import { uploadsOf } from '../uploads.ts';
import { validate } from '../validation.ts';

export function registerUploadRoutes(app: ApiApp, services: Services): void {
  const { limits } = services;

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/uploads',
      // Queries name uploads too, and by itself an upload changes nothing.
      scope: 'read',
      operationId: 'createUpload',
      tag: 'Service',
      summary: 'An address to upload a picture to that is too large for a request',
      description:
        'On AWS a request takes about 4.5 MB of picture. `PUT` the file to `uploadUrl` with `headers`, then name it by `url` in an ' +
        'item or a query. The address takes one file of exactly that size and type, and what was uploaded is deleted after a day. ' +
        'Elsewhere the answer is the problem `no-uploads`: there requests take whole pictures.',
      body: { 'application/json': createUploadBody },
      answers: { 201: { description: 'The address.', content: { 'application/json': upload } } },
    },
    async (c) => {
      const body = validate(createUploadBody, await readJson(c.req.raw, limits));
      const uploads = uploadsOf(services);
      if (body.bytes > limits.pictureBytes) {
        throw new LookalikeError(
          'picture-too-large',
          `the picture has ${body.bytes} bytes, more than ${limits.pictureBytes}`,
          { details: { limit: limits.pictureBytes } },
        );
      }
      return c.json(await uploads.create(body), 201);
    },
  );
}
