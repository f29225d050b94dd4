import { createHash } from 'node:crypto';
import type { ApiApp, Services } from '../app-context.ts';
import { docsScript, docsStyle, renderDocs } from '../docs-page.ts';

const description = `Near-duplicate search of pictures and vectors.

Errors are problems (RFC 9457) with a stable \`code\`. Every answer carries \`X-Request-Id\`. Unknown keys in a request are refused.
A write is durable when it is answered, and the next query sees it.`;

/** The OpenAPI document of the routes registered, and the reference for people made from it. */
export function registerDocumentRoutes(app: ApiApp, services: Services): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key of the server; not needed where the server has none configured.',
  });
  // Made when it is first asked for: no start of a server waits for it.
  let made: ReturnType<typeof makeDocument> | undefined;
  const document = () => {
    made ??= makeDocument(app, services.version);
    return made;
  };
  app.get('/v1/openapi.json', (c) => c.json(document().openApi));
  app.get('/docs', (c) => c.html(document().html, 200, document().headers));
}

function makeDocument(app: ApiApp, version: string) {
  const openApi = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Lookalike',
      version,
      description,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
  });
  const html = renderDocs(openApi);
  const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const headers = {
    'content-security-policy':
      `default-src 'none'; connect-src 'self'; script-src ${hashOf(docsScript)}; style-src ${hashOf(docsStyle)}; ` +
      "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  };
  return { openApi, html, headers };
}
