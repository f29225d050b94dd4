/** The server of ingest-memory.ts, which bundles it: `<data folder> <real|none>`. Tells its address, and its memory when asked. */
import { createApp, keepYoungSpaceSmall, lazyEncoders, serve } from '@lookalike/api';
import { type Collection, openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';

export interface Memory {
  now: NodeJS.MemoryUsage;
  /** When the most was seen, looking every 20 ms. */
  peak: NodeJS.MemoryUsage;
  /** Bytes: the most there ever was, as the system counts it. */
  highest: number;
}

function forgetful(collection: Collection): Collection {
  return {
    ...collection,
    info: collection.info,
    upsert: (items) =>
      Promise.resolve({ version: 1, results: items.map(({ id }) => ({ id, status: 'stored' as const })) }),
  } as Collection;
}

const [folder = '', engineKind] = process.argv.slice(2);
// As `lookalike serve` does.
keepYoungSpaceSmall();
const store = await openFolderStore(folder);
const engine = openEngine({ store });
const open = engine.collection.bind(engine);
if (engineKind === 'none') engine.collection = async (name) => forgetful(await open(name));
const none = () => Promise.reject(new Error('no encoder here'));
const encoders = lazyEncoders({ default: 'none', names: ['none'], open: none });
const { url } = await serve(createApp({ engine, objects: store, encoders }), { port: 0 });
let peak = process.memoryUsage();
setInterval(() => {
  const now = process.memoryUsage();
  if (now.rss > peak.rss) peak = now;
}, 20);
process.on('message', () => {
  const highest = process.resourceUsage().maxRSS * 1024;
  process.send?.({ peak, now: process.memoryUsage(), highest } satisfies Memory);
});
process.send?.({ url });
