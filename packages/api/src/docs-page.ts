import type { OpenAPIHono } from '@hono/zod-openapi';
import { html, raw } from 'hono/html';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
type Schema = { [key: string]: unknown };
type Operation = NonNullable<NonNullable<Document['paths']>[string]['get']>;

export const docsStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
code, pre, textarea, input { font: 0.875rem/1.4 ui-monospace, monospace; }
pre { overflow: auto; padding: 0.75rem; border-radius: 6px; background: light-dark(#f2f3f5, #23262b); max-height: 30rem; }
details { border: 1px solid light-dark(#d5d8dd, #3c4048); border-radius: 6px; margin: 0.5rem 0; padding: 0.5rem 0.75rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
td, th { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid light-dark(#e4e6ea, #33373e); }
textarea { width: 100%; box-sizing: border-box; min-height: 8rem; }
label { display: block; margin: 0.5rem 0; }
nav a { margin-right: 1rem; }
.required::after { content: " required"; font-size: 0.75rem; opacity: 0.7; }
`;

/** Sends what the form of an operation says, and shows the answer. */
export const docsScript = `
const key = document.querySelector('#key');
for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const output = form.querySelector('output');
    const query = new URLSearchParams();
    const headers = {};
    let path = form.dataset.path;
    for (const input of form.querySelectorAll('input[data-in]')) {
      if (input.dataset.in === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value));
      else if (input.value === '') continue;
      else if (input.dataset.in === 'header') headers[input.name] = input.value;
      else query.set(input.name, input.value);
    }
    if (key.value !== '') headers.authorization = 'Bearer ' + key.value;
    const file = form.querySelector('input[type=file]');
    const text = form.querySelector('textarea');
    let body;
    if (file && file.files[0]) {
      body = file.files[0];
      headers['content-type'] = body.type || 'application/octet-stream';
    } else if (text && text.value.trim() !== '') {
      body = text.value;
      headers['content-type'] = 'application/json';
    }
    output.replaceChildren('…');
    try {
      const url = path + (query.size === 0 ? '' : '?' + query);
      const response = await fetch(url, { method: form.dataset.method, headers, body });
      const status = document.createElement('p');
      status.textContent = response.status + ' ' + response.statusText;
      if ((response.headers.get('content-type') || '').startsWith('image/')) {
        const image = document.createElement('img');
        image.src = URL.createObjectURL(await response.blob());
        image.alt = 'The answer';
        output.replaceChildren(status, image);
        return;
      }
      const answer = await response.text();
      const shown = document.createElement('pre');
      try { shown.textContent = JSON.stringify(JSON.parse(answer), null, 2); } catch { shown.textContent = answer; }
      output.replaceChildren(status, shown);
    } catch (error) {
      output.textContent = String(error);
    }
  });
}
`;

function schemaName(schema: unknown): string {
  const { $ref, type, items, anyOf } = (schema ?? {}) as Schema;
  if (typeof $ref === 'string') return $ref.split('/').pop() ?? '';
  if (Array.isArray(anyOf)) return anyOf.map(schemaName).join(' or ');
  if (type === 'array') return `${schemaName(items)}[]`;
  if (Array.isArray(type)) return type.join(' or ');
  return typeof type === 'string' ? type : 'any';
}

function schemaLink(schema: unknown) {
  const names = schemaName(schema).split(' or ');
  const links = names.map((name) =>
    /^[A-Z]/.test(name) ? html`<a href="#${name.replace(/\[\]$/, '')}">${name}</a>` : html`${name}`,
  );
  return links.map((link, index) => (index === 0 ? link : html` or ${link}`));
}

/** Text in which code stands between backticks. */
function prose(text: string | undefined) {
  return (text ?? '')
    .split('`')
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

function parameterRows(operation: Operation) {
  const parameters = (operation.parameters ?? []) as {
    name: string;
    in: string;
    required?: boolean;
    schema?: Schema;
  }[];
  return parameters.map(
    ({
      name,
      in: place,
      required,
      schema,
    }) => html`<label><span class="${required ? 'required' : ''}"><code>${name}</code>
      (${place}, ${schemaName(schema)})</span> ${prose(schema?.description as string | undefined)}
      <input name="${name}" data-in="${place}" ${required ? raw('required') : ''}></label>`,
  );
}

function bodyRows(operation: Operation) {
  const content = Object.entries(
    (operation.requestBody as { content?: Record<string, { schema?: unknown }> })?.content ?? {},
  );
  if (content.length === 0) return html``;
  const list = content.map(
    ([type, { schema }]) => html`<li><code>${type}</code>: ${schemaLink(schema)}</li>`,
  );
  const takesFile = content.some(([type]) => type === 'image/*');
  return html`<p>Body:</p><ul>${list}</ul>
    <label>JSON <textarea spellcheck="false"></textarea></label>
    ${takesFile ? html`<label>or a picture <input type="file"></label>` : ''}`;
}

function operationSection(method: string, path: string, operation: Operation) {
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const { description, content, headers } = answer as {
      description: string;
      headers?: Record<string, { description?: string; schema?: Schema }>;
      content?: Record<string, { schema?: unknown }>;
    };
    const schemas = Object.entries(content ?? {}).map(
      ([type, { schema }]) => html`<div><code>${type}</code>: ${schemaLink(schema)}</div>`,
    );
    const told = Object.entries(headers ?? {}).map(
      ([name, header]) =>
        html`<div><code>${name}</code>: ${prose(header.description ?? (header.schema?.description as string | undefined))}</div>`,
    );
    return html`<tr><td>${status}</td><td>${prose(description)}${told}${schemas}</td></tr>`;
  });
  return html`<details id="${operation.operationId ?? ''}">
    <summary><b>${method.toUpperCase()}</b> <code>${path}</code> ${operation.summary ?? ''}</summary>
    <p>${prose(operation.description)}</p>
    <form data-method="${method.toUpperCase()}" data-path="${path}">
      ${parameterRows(operation)} ${bodyRows(operation)}
      <button>Send</button><output></output>
    </form>
    <table><tr><th>Status</th><th>Answer</th></tr>${answers}</table>
  </details>`;
}

/** A reference that needs nothing from elsewhere; requests can be tried from it. */
export function renderDocs(document: Document): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
      method,
      path,
      operation,
    })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))];
  const sections = tags.map(
    (tag) =>
      html`<h2 id="tag-${tag}">${tag}</h2>${operations
        .filter(({ operation }) => operation.tags?.includes(tag))
        .map(({ method, path, operation }) => operationSection(method, path, operation))}`,
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => html`<details id="${name}"><summary><code>${name}</code></summary>
      <pre>${JSON.stringify(schema, null, 2)}</pre></details>`,
  );
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lookalike API</title><style>${raw(docsStyle)}</style></head>
<body><h1>Lookalike API <small>${document.info.version}</small></h1>
<p>${prose(document.info.description)}</p>
<p><a href="/v1/openapi.json">OpenAPI document</a></p>
<label>Key, where the server wants one <input id="key" type="password" autocomplete="off"></label>
<nav>${tags.map((tag) => html`<a href="#tag-${tag}">${tag}</a>`)}<a href="#schemas">Schemas</a></nav>
<main>${sections}<h2 id="schemas">Schemas</h2>${schemas}</main>
<script>${raw(docsScript)}</script></body></html>`.toString();
}
