import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from './user-folders.ts';

// Node keeps what it makes of this code, so that the next start takes half as long and strips no types. In a folder of the user's own:
// whoever may write to it decides what runs.
const { directory } = enableCompileCache(join(cacheFolder(), 'code'));
// For worker threads.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;

await import('./run-command.ts');
