export { checkStore } from './check-store.ts';
export { LookalikeError } from './errors.ts';
export { FolderStore, openFolderStore, TEMPORARY_FOLDER } from './folder-store.ts';
export { checkKey, compareUtf8 } from './keys.ts';
export { listPages } from './list-pages.ts';
export { MemoryStore } from './memory-store.ts';
export type * from './object-store.ts';
