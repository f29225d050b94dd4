import type { Log } from '@lookalike/api';
import { LookalikeApiError, LookalikeClient } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';
import { type Command, Option } from 'commander';
import { openExistingStore, openStore } from './open-store.ts';
import { modelOption } from './option-values.ts';
import { segmentCacheFolder } from './user-folders.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8787';

export interface ConnectionOptions {
  url: string;
  key?: string;
  data?: string;
  model?: string;
}

/** Where a command finds its collections: the same words for every one of them. */
export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-u, --url <url>', 'the server')
        .env('LOOKALIKE_URL')
        .default(DEFAULT_URL)
        .helpGroup('Where:'),
    )
    .addOption(
      new Option('--key <key>', 'a key of the server; better given in the environment')
        .env('LOOKALIKE_KEY')
        .helpGroup('Where:'),
    )
    .addOption(
      new Option(
        '-d, --data <folder or s3://…>',
        'work on a data folder or bucket without a server; one that runs on it may go on',
      ).helpGroup('Where:'),
    )
    .addOption(modelOption().helpGroup('Where:'));
}

/**
 * Runs `work` with a client of the server, or, with `data`, of the same API in this process: what a command does is the
 * same either way. A data folder that is not there is made where `creates`.
 */
export async function withClient<T>(
  options: ConnectionOptions,
  work: (client: LookalikeClient) => Promise<T>,
  { creates = false } = {},
): Promise<T> {
  if (options.data === undefined) {
    if (!URL.canParse(options.url))
      throw new LookalikeError(
        'invalid-url',
        `--url is ${options.url}, expected an address such as ${DEFAULT_URL}`,
      );
    try {
      return await work(
        new LookalikeClient(options.url, options.key === undefined ? {} : { key: options.key }),
      );
    } catch (error) {
      if (error instanceof LookalikeApiError && error.code === 'connection-failed')
        throw new LookalikeError(
          error.code,
          `${error.message}\nIs it running? Start it with "lookalike serve", or work without one: --data <folder>.`,
          { cause: error },
        );
      throw error;
    }
  }
  // Loaded where there is no server only: it is most of what there is to load.
  const [{ createApp }, { openEngine }, { serveEncoders }] = await Promise.all([
    import('@lookalike/api'),
    import('@lookalike/index'),
    import('./serve-encoders.ts'),
  ]);
  const objects = await (creates ? openStore : openExistingStore)(options.data);
  const engine = openEngine({ store: objects, cacheFolder: segmentCacheFolder() });
  const { encoders } = await serveEncoders(options.model);
  try {
    const failures = new Map<string, unknown>();
    const log: Log = (entry) => {
      failures.set(entry.requestId, entry.error);
    };
    const app = createApp({ engine, objects, encoders, access: { kind: 'upstream' }, log });
    const fetch = async (url: string | URL | Request, init?: RequestInit) =>
      app.fetch(new Request(url, init));
    return await work(new LookalikeClient(DEFAULT_URL, { fetch })).catch((error: unknown) => {
      // What a server would tell its log only.
      throw (error instanceof LookalikeApiError && failures.get(error.requestId ?? '')) || error;
    });
  } finally {
    await engine.close();
    await encoders.close();
  }
}
