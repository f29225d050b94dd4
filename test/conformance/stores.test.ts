import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore, type ObjectStore, openFolderStore } from '@lookalike/store';
import { afterAll } from 'vitest';
import { objectStoreConformance } from './object-store.ts';

const roots = new Map<ObjectStore, string>();

objectStoreConformance('memory', async () => new MemoryStore());

objectStoreConformance(
  'folder',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'lookalike-store-'));
    const store = await openFolderStore(root);
    roots.set(store, root);
    return store;
  },
  { another: (store) => openFolderStore(roots.get(store) as string) },
);

afterAll(async () => {
  for (const root of roots.values()) await rm(root, { recursive: true, force: true });
});
