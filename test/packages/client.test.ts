import { readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningServer, runningServer } from '../applications/running-server.ts';
import { documentedProgram } from '../documented-program.ts';
import { launchBrowser, skipped } from '../web/browser.ts';
import { type Packed, pack, repository, runIn } from './packed.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const compiler = join(repository, 'node_modules/typescript/bin/tsc');
const strict = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
};

let packed: Packed;
let manifestBefore: string;
/** A project of its own with the package and nothing else. */
let project: string;

beforeAll(async () => {
  manifestBefore = await readFile(join(repository, 'packages/client/package.json'), 'utf8');
  packed = await pack('@lookalike/client');
  project = packed.folder;
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
  await runIn(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', packed.tarball);
});
afterAll(() => packed?.remove());

/** What the compiler has to say against a program. */
async function complaintsOf(name: string, program: string, compilerOptions: object): Promise<string> {
  await writeFile(join(project, `${name}.ts`), program);
  await writeFile(
    join(project, `${name}.json`),
    JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files: [`${name}.ts`] }),
  );
  return runIn(project, process.execPath, compiler, '-p', `${name}.json`);
}

describe('the package of the client', () => {
  it('has the client, its types and its papers, and leaves the repository on its sources', async () => {
    expect(packed.files.filter((file) => !file.endsWith('.d.ts')).sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist/index.js',
      'package.json',
    ]);
    const installed = join(project, 'node_modules/@lookalike/client');
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('private');
    expect(Object.keys(manifest).filter((key) => /dependencies/i.test(key))).toEqual([]);
    expect(await readFile(join(installed, 'dist/index.js'), 'utf8')).not.toMatch(
      /^import |\bimport\(|\brequire\(/m,
    );
    expect(await readFile(join(repository, 'packages/client/package.json'), 'utf8')).toBe(manifestBefore);
  });

  const program = `
    import { LookalikeApiError, LookalikeClient, type Match, type TransportOptions } from '@lookalike/client';
    const options: TransportOptions = { key: 'lk_', authorize: ({ headers }) => headers.set('x-a', 'b') };
    const client = new LookalikeClient(new URL('http://127.0.0.1:8787'), options);
    const { matches } = await client.query('photos', { picture: new Uint8Array(3), filter: { field: 'a', in: ['b', null] } });
    const first: Match | undefined = matches[0];
    const width: number | undefined = first?.metadata?.picture?.width;
    for (const result of await client.queryBatch('photos', [{ id: 'a' }]))
      console.log(result.error ? result.error.code : result.matches.length, width);
    for await (const group of client.duplicates('photos')) console.log(group.items[0]?.kind === 'exact');
    const file: Blob = await client.thumbnail('photos', 'a');
    await client.putPicture('photos', 'b', file, { metadata: { tags: ['x', { deep: null }] } });
    client.health().catch((error: unknown) => error instanceof LookalikeApiError && error.problem?.['member']);
    // @ts-expect-error: there is no such setting
    await client.query('photos', { picture: file, topk: 3 });
    // @ts-expect-error: no metric of that name
    await client.createCollection('points', { dimension: 2, metric: 'hamming' });
    // @ts-expect-error: of an answer with an error there are no matches
    for (const result of await client.queryBatch('photos', [])) result.matches.length;
  `;

  it.each([
    ['of Node, without the types of Node', { module: 'nodenext', target: 'es2022' }],
    [
      'of a bundler, for a page',
      {
        module: 'esnext',
        moduleResolution: 'bundler',
        target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable'],
      },
    ],
  ])('passes a strict type check with the settings %s', async (name, settings) => {
    expect(await complaintsOf(name.replaceAll(/\W+/g, '-'), program, settings)).toBe('');
  });

  it('passes the type check with the types of Node, with the programs of the documentation', async () => {
    await symlink(join(repository, 'node_modules/@types'), join(project, 'node_modules/@types'));
    const pages = await Promise.all(
      ['README.md', 'packages/client/README.md', 'docs/api.md'].map(documentedProgram),
    );
    for (const [n, text] of pages.entries()) {
      const own = text.replace(/^import .* from '@lookalike\/api';$/m, 'declare const createApiKey: any;');
      expect(
        await complaintsOf(`page-${n}`, own, {
          module: 'nodenext',
          target: 'es2024',
          types: ['node'],
          lib: ['es2024'],
        }),
      ).toBe('');
    }
  });

  it('has the types that the API has, all of them', async () => {
    const written = await readFile(
      join(project, 'node_modules/@lookalike/client/dist/wire-types.d.ts'),
      'utf8',
    );
    const names = [...written.matchAll(/^export type (\w+) =/gm)].map(([, name]) => name);
    const inferred = await readFile(join(repository, 'packages/api/src/schemas.ts'), 'utf8');
    const expected = [...inferred.matchAll(/^export type (?:(\w+) =|\{([^}]*)\})/gm)].flatMap(
      ([, one, several]) => (one ? [one] : (several?.split(',').map((name) => name.trim()) ?? [])),
    );
    expect(names.sort()).toEqual(expected.sort());
    const sources = join(repository, 'packages/api/src/schemas.ts');
    const comparison = [
      `import type * as Packed from '@lookalike/client';`,
      `import type * as Api from '${sources}';`,
      'type IsAny<T> = 0 extends 1 & T ? true : false;',
      'type Same<A, B> = IsAny<A> extends true ? false : [A] extends [B] ? ([B] extends [A] ? true : false) : false;',
      ...names.map((name) => `const same${name}: Same<Packed.${name}, Api.${name}> = true;`),
    ].join('\n');
    await writeFile(
      join(project, 'comparison.json'),
      JSON.stringify({
        extends: join(repository, 'tsconfig.json'),
        compilerOptions: {
          exactOptionalPropertyTypes: false,
          typeRoots: [join(repository, 'node_modules/@types')],
        },
        include: [],
        exclude: [],
        files: ['comparison.ts'],
      }),
    );
    await writeFile(join(project, 'comparison.ts'), comparison);
    expect(await runIn(project, process.execPath, compiler, '-p', 'comparison.json')).toBe('');
  });
});

/** As text: what a test runs here is rewritten before it runs, `import()` first of all. */
const inPage = (url: string, collection: string) => `(async () => {
  const { LookalikeClient } = await import('/client.js');
  const client = new LookalikeClient('${url}', { retries: 0 });
  const canvas = new OffscreenCanvas(320, 240);
  const context = canvas.getContext('2d');
  for (let n = 0; n < 240; n++) {
    context.fillStyle = 'hsl(' + ((n * 47) % 360) + ' 80% ' + (20 + (n % 60)) + '%)';
    context.fillRect((n * 31) % 320, (n * 17) % 240, 60, 40);
  }
  const picture = await canvas.convertToBlob({ type: 'image/png' });
  try {
    await client.createCollection('${collection}');
    await client.putPicture('${collection}', 'drawn.png', picture, { metadata: { from: 'a page' } });
    const { matches } = await client.query('${collection}', { picture, topK: 1 });
    const { same } = await client.compare(picture, picture);
    return { matches, same, thumbnail: (await client.thumbnail('${collection}', 'drawn.png')).type };
  } catch (error) {
    return { code: error.code, text: String(error) };
  }
})()`;

describe('the package of the client against a server', () => {
  let server: RunningServer;
  let elsewhere: { origin: string; close(): void };
  beforeAll(async () => {
    elsewhere = await startPageOfAnotherOrigin();
    server = await runningServer(['--cors-origin', elsewhere.origin]);
  });
  afterAll(async () => {
    await server?.close();
    elsewhere?.close();
  });

  /** A page of another origin, with the package beside it. */
  async function startPageOfAnotherOrigin() {
    const http = createServer(async ({ url }, response) => {
      const script = url === '/client.js';
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
      response.end(script ? await builtClient() : '<!doctype html><title>elsewhere</title>');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    return { origin: `http://127.0.0.1:${port}`, close: () => http.close() };
  }

  const builtClient = () => readFile(join(project, 'node_modules/@lookalike/client/dist/index.js'));

  it('runs in Node as the README of the package shows it', async () => {
    await writeFile(
      join(project, 'coffee.jpg'),
      await readFile(join(repository, 'test/pictures/coffee.jpg')),
    );
    const program = (await documentedProgram('packages/client/README.md')).replace(
      'http://127.0.0.1:8787',
      server.url,
    );
    await writeFile(join(project, 'program.mjs'), program);
    expect(await runIn(project, process.execPath, 'program.mjs')).toBe("[ 'coffee.jpg 1.000' ]\n");
  });

  describe(`in a page${skipped}`, { skip: skipped !== '' }, () => {
    it.each(['of the server itself', 'of an origin that the server lets in', 'of another origin'])(
      '%s',
      async (where) => {
        const browser = await launchBrowser();
        try {
          const page = await (await browser.newContext()).newPage();
          if (where === 'of the server itself') {
            await page.route('**/client.js', async (route) =>
              route.fulfill({ contentType: 'text/javascript', body: await builtClient() }),
            );
          }
          const stranger = where === 'of another origin' ? await startPageOfAnotherOrigin() : undefined;
          await page.goto(
            where === 'of the server itself' ? `${server.url}/` : (stranger ?? elsewhere).origin,
          );
          const answer = await page.evaluate(inPage(server.url, where.replaceAll(' ', '-')));
          stranger?.close();
          if (stranger) expect(answer).toMatchObject({ code: 'connection-failed' });
          else
            expect(answer).toMatchObject({
              matches: [{ id: 'drawn.png', metadata: { from: 'a page', picture: { width: 320 } } }],
              same: true,
              thumbnail: 'image/webp',
            });
        } finally {
          await browser.close();
        }
      },
    );
  });
});
