import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  createApp,
  keepYoungSpaceSmall,
  logToStderr,
  parseApiKeys,
  type RunningServer,
  serve,
  sweepEveryCollection,
} from '@lookalike/api';
import type { ModelDescription } from '@lookalike/encoder';
import { openEngine } from '@lookalike/index';
import { webRoot } from '@lookalike/web';
import { EXIT } from '../cli-error.ts';
import { Interrupted } from '../interruption.ts';
import { isFolder, openStore } from '../open-store.ts';
import { note, print } from '../output.ts';
import { serveEncoders, tryModel } from '../serve-encoders.ts';
import { segmentCacheFolder } from '../user-folders.ts';
import type { ServeOptions } from './serve.ts';

/** Milliseconds between looking for thumbnails and old results that nothing needs; collections look after themselves. */
const SWEEP_INTERVAL = 6 * 60 * 60 * 1000;

export async function runServer(options: ServeOptions, signal: AbortSignal): Promise<number> {
  keepYoungSpaceSmall();
  const keys = options.keys === undefined ? undefined : parseApiKeys(await readFile(options.keys, 'utf8'));
  const objects = await openStore(options.data);
  const engine = openEngine({ store: objects, cacheFolder: segmentCacheFolder() });
  if (options.model !== undefined) await tryModel(options.model);
  const { encoders, model } = await serveEncoders(options.model);
  let server: RunningServer | undefined;
  const sweeping = setInterval(() => {
    const failed = (collection: string, error: unknown) =>
      logToStderr({ requestId: `sweep of ${collection}`, error });
    sweepEveryCollection(engine, objects, failed).catch((error: unknown) => failed('all', error));
  }, SWEEP_INTERVAL);
  sweeping.unref();
  try {
    const app = createApp({
      engine,
      objects,
      encoders,
      access: keys ? { kind: 'keys', keys } : { kind: 'loopback' },
      ...(options.corsOrigin && { corsOrigins: options.corsOrigin }),
      ...(existsSync(webRoot) && { webRoot }),
    });
    server = await serve(app, { host: options.host, port: options.port });
    await print(greeting(server.url, { options, model, hasPage: existsSync(webRoot), hasKeys: !!keys }));
    await aborted(signal);
    note('Stopping: waiting for what is under way. Press Ctrl-C again to stop at once.');
    return EXIT.ok;
  } finally {
    clearInterval(sweeping);
    await server?.close();
    await engine.close();
    await encoders.close();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  if (!(signal.reason instanceof Interrupted)) throw signal.reason;
}

interface GreetingFacts {
  options: ServeOptions;
  model: ModelDescription;
  hasPage: boolean;
  hasKeys: boolean;
}

/** What a newcomer needs: where it is, and lines to paste that work as they stand. */
function greeting(url: string, { options, model, hasPage, hasKeys }: GreetingFacts): string {
  const example = ['test/pictures/coffee.jpg', 'test/pictures/cat.jpg'].every((path) => existsSync(path));
  const [first, second] = example
    ? ['test/pictures/coffee.jpg', 'test/pictures/cat.jpg']
    : ['my-picture.jpg', 'another.jpg'];
  const header = hasKeys ? ' -H "authorization: Bearer $LOOKALIKE_KEY"' : '';
  const collection = `${url}/v1/collections/demo`;
  const picture = `${header} -H 'content-type: image/jpeg' --data-binary`;
  return `Lookalike is at ${url}${hasPage ? '' : '  (no web page: run npm run build first)'}
  data   ${isFolder(options.data) ? resolve(options.data) : options.data}
  model  ${model.name}, ${model.output.dimension} numbers a picture
  access ${hasKeys ? 'with a key' : 'from this machine only, without a key'}
  API    ${url}/docs

Try it in another terminal:

  curl -X PUT ${collection}${header} -H 'content-type: application/json' -d '{}'
  curl -X PUT ${collection}/items/first${picture} @${first}
  curl -X PUT ${collection}/items/second${picture} @${second}
  curl -X POST '${collection}/query?topK=3'${picture} @${first}

Press Ctrl-C to stop.
`;
}
