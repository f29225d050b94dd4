import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder: string;
let html: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-web-'));
  await build({
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  html = await readFile(join(folder, 'index.html'), 'utf8');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('stays under 100 kB gzipped, everything together', async () => {
  let total = gzipSync(html).length;
  for (const name of await readdir(join(folder, 'assets'))) {
    total += gzipSync(await readFile(join(folder, 'assets', name))).length;
  }
  expect(total).toBeGreaterThan(5000);
  expect(total).toBeLessThan(100_000);
});

it('carries its content security policy and keeps to it: no inline script or style, no other host', async () => {
  expect(html).toMatch(/http-equiv="Content-Security-Policy" content="default-src [^"]*script-src [^"]*self/);
  expect(html).not.toMatch(/<script(?![^>]*\bsrc="\.\/)/);
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
  for (const [, url] of html.matchAll(/(?:src|href)="([^"]*)"/g)) expect(url).toMatch(/^\.\//);
  for (const name of await readdir(join(folder, 'assets'))) {
    if (name.endsWith('.css')) {
      expect(await readFile(join(folder, 'assets', name), 'utf8')).not.toMatch(/url\(|@import/);
    }
  }
});
