#!/usr/bin/env node
// Plain JavaScript on purpose: it must be readable by any Node, so that an old one gets a message and not a stack.
import { existsSync } from 'node:fs';

const MINIMUM = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  process.stderr.write(
    `lookalike needs Node ${MINIMUM.join('.')} or newer; this is ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(2);
}

// Inside the repository the TypeScript sources run as they are. An installed package carries the bundle instead: Node
// strips no types below node_modules.
const source = new URL('../src/lookalike.ts', import.meta.url);
const bundle = new URL('../dist/lib/lookalike.js', import.meta.url);
await import((existsSync(source) ? source : bundle).href);
