// Run by kill.test.ts, which ends it with SIGKILL: writes, deletes, indexes and compacts, and says what was acknowledged.
import { openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';

const [folder = '', first = '0'] = process.argv.slice(2);
const engine = openEngine({
  store: await openFolderStore(folder),
  commitWindow: 0,
  indexer: { flushRows: 120, flushCommits: 20, graphMinRows: 1_000_000, maxSegmentRows: 4000, settleTime: 0 },
});
await engine.createCollection('c', { dimension: 4, metric: 'l2' });
const collection = await engine.collection('c');
console.log('ready');
for (let n = Number(first); ; n += 10) {
  const items = Array.from({ length: 10 }, (_, i) => ({
    id: `id-${n + i}`,
    vector: Float32Array.of(n + i, 1, 2, 3),
    metadata: { n: n + i },
  }));
  await collection.upsert(items);
  console.log(`stored ${n}`);
  if (n % 30 === 0) {
    console.log(`deleting ${n}`);
    await collection.delete({ ids: [`id-${n + 1}`, `id-${n + 2}`] });
    console.log(`deleted ${n}`);
  }
  if (n % 200 === 0) void engine.compact('c', { full: n % 400 === 0 });
}
