import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Access, createApp, lazyEncoders, serve } from '@lookalike/api';
import { DEFAULT_MODEL, openEncoder, resolveModel } from '@lookalike/encoder';
import { openEngine } from '@lookalike/index';
import { type ObjectStore, openFolderStore } from '@lookalike/store';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { build } from 'vite';
import { expect } from 'vitest';
import { launchBrowser } from './browser.ts';

export { skipped } from './browser.ts';

/** Milliseconds: how long a page may take where everything else on the machine is busy too. */
const patience = 90_000;
/** The same for a whole test and for setting up. */
export const timeout = 300_000;

export const picturesFolder: string = fileURLToPath(new URL('../pictures/', import.meta.url));
export const pictureNames: string[] = (await readdir(picturesFolder))
  .filter((name) => /\.(jpg|png)$/.test(name))
  .sort();
export const picture = (name: string): string => join(picturesFolder, name);

export interface PageUnderTest {
  url: string;
  /** What the server keeps its collections in. */
  objects: ObjectStore;
  /** A tab of a browser context of its own. Errors and warnings of its console are gathered in `complaints`. */
  open(hash?: string, options?: BrowserContextOptions): Promise<{ page: Page; complaints: string[] }>;
  /** Stores the pictures over HTTP, each under its name unless `named` says otherwise. */
  ingest(collection: string, pictures: { id: string; body: Uint8Array }[]): Promise<void>;
  close(): Promise<void>;
}

/** The page as it is in the tree now, on a real server with a real engine, encoder and browser. */
export async function startPage(access: Access = { kind: 'loopback' }): Promise<PageUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'lookalike-page-'));
  const webRoot = join(folder, 'page');
  await build({
    root: fileURLToPath(new URL('../../packages/web', import.meta.url)),
    logLevel: 'error',
    build: { outDir: webRoot, emptyOutDir: true },
  });
  const objects = await openFolderStore(join(folder, 'data'));
  const engine = openEngine({ store: objects, commitWindow: 10 });
  const encoders = lazyEncoders({
    default: DEFAULT_MODEL,
    names: [DEFAULT_MODEL, 'one-shot-characters'],
    open: async (name) => openEncoder(await resolveModel(name)),
  });
  const app = createApp({ engine, objects, encoders, webRoot, access });
  const server = await serve(app, { port: 0 });
  const browser = await launchBrowser();

  return {
    url: server.url,
    objects,
    async open(hash = '', options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(patience);
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      await page.goto(`${server.url}/${hash}`);
      return { page, complaints };
    },
    async ingest(collection, pictures) {
      await accepted(await fetch(`${server.url}/v1/collections/${collection}`, { method: 'PUT' }));
      const queue = pictures.values();
      const send = async () => {
        for (const { id, body } of queue) {
          await accepted(
            await fetch(`${server.url}/v1/collections/${collection}/items/${encodeURIComponent(id)}`, {
              method: 'PUT',
              headers: { 'content-type': 'application/octet-stream' },
              body: body as Uint8Array<ArrayBuffer>,
            }),
          );
        }
      };
      await Promise.all([send(), send(), send(), send()]);
    },
    async close() {
      await browser.close();
      await server.close(1);
      await engine.close();
      await encoders.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function accepted(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}

/** All test pictures as they are. */
export const allPictures = (): Promise<{ id: string; body: Uint8Array }[]> =>
  Promise.all(pictureNames.map(async (id) => ({ id, body: await readFile(picture(id)) })));

/** `expect` of what a page shows sooner or later; patient, as the machine may be busy. */
export const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: patience });
