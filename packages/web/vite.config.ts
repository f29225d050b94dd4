import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Gzipped bytes of everything a first visit loads. */
const budget = 100_000;

/** What the page needs and nothing more, whatever server it comes from: no inline scripts, no other hosts. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function contentSecurityPolicyTag(): Plugin {
  return {
    name: 'content-security-policy-tag',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

function bundleBudget(): Plugin {
  return {
    name: 'bundle-budget',
    apply: 'build',
    generateBundle(_, bundle) {
      let total = 0;
      for (const file of Object.values(bundle)) {
        total += gzipSync(file.type === 'chunk' ? file.code : file.source).length;
      }
      if (total > budget) this.error(`the page is ${total} bytes gzipped, over its budget of ${budget}`);
    },
  };
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // Relative, so that it also works under a path of a proxy.
  base: './',
  build: { modulePreload: false, reportCompressedSize: false },
  plugins: [contentSecurityPolicyTag(), bundleBudget()],
  // `npm run dev -w @lookalike/web`: the page with hot reload in front of a running `lookalike serve`. The host of
  // requests stays the page's own, as the server refuses what pages of other hosts send.
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/healthz', '/docs'].map((path) => [
        path,
        { target: 'http://127.0.0.1:8787', changeOrigin: false },
      ]),
    ),
  },
});
