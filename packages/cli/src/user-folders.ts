import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** What may be deleted at any time: embeddings of pictures seen before. `LOOKALIKE_CACHE_DIR` overrides it. */
export function cacheFolder(env: Environment = process.env, platform: string = process.platform): string {
  if (env.LOOKALIKE_CACHE_DIR) return env.LOOKALIKE_CACHE_DIR;
  if (platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'lookalike', 'cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'lookalike');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lookalike');
}

/** Files of collections in buckets, at most 8 GiB. */
export function segmentCacheFolder(): string {
  return join(cacheFolder(), 'segments');
}

/** What a person decided: verdicts that two pictures differ. `LOOKALIKE_CONFIG_DIR` overrides it. */
export function configFolder(env: Environment = process.env, platform: string = process.platform): string {
  if (env.LOOKALIKE_CONFIG_DIR) return env.LOOKALIKE_CONFIG_DIR;
  if (platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'lookalike');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'lookalike');
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'lookalike');
}
