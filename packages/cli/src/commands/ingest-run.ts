import type { LookalikeClient } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';
import { EXIT } from '../cli-error.ts';
import { withClient } from '../connection.ts';
import { printable } from '../duplicate-table.ts';
import { ingestOnAws } from '../ingest-on-aws.ts';
import { type IngestResult, ingestPictures } from '../ingest-pictures.ts';
import { ingestSources } from '../ingest-sources.ts';
import { openPictureCache } from '../open-picture-cache.ts';
import { isFolder } from '../open-store.ts';
import { note, print } from '../output.ts';
import { duration, Progress } from '../progress.ts';
import type { IngestOptions } from './ingest.ts';

export function ingest(folder: string, options: IngestOptions, signal: AbortSignal): Promise<number> {
  const byDeployment = options.deployment !== undefined && !isFolder(folder);
  if (options.inventory !== undefined && !byDeployment)
    throw new LookalikeError('invalid-data', '--inventory goes with s3://… and --deployment');
  return byDeployment ? ingestByDeployment(folder, options, signal) : ingestHere(folder, options, signal);
}

async function ingestHere(folder: string, options: IngestOptions, signal: AbortSignal): Promise<number> {
  const { collection } = options;
  const cache = openPictureCache();
  try {
    const { sources, errors, skipped } = await ingestSources(folder, cache);
    const started = performance.now();
    const work = async (client: LookalikeClient) => {
      // Without a server the model, which may be a folder, is the default there; a server goes by names.
      const named = options.data === undefined ? options.model : undefined;
      await client.createCollection(collection, named === undefined ? {} : { model: named }, { signal });
      const progress = new Progress({
        label: 'Storing',
        total: sources.length,
        unit: 'pictures',
        silentInPipe: options.json === true,
      });
      return ingestPictures(client, sources, {
        collection,
        concurrency: options.concurrency,
        signal,
        onProgress: (done) => progress.update(done),
        ...(options.prefix !== undefined && { prefix: options.prefix }),
        ...(options.unlessSimilar !== undefined && { unlessSimilar: options.unlessSimilar }),
      }).finally(() => progress.end());
    };
    const result = await withClient(options, work, { creates: true });
    const failed = result.errors.length;
    result.errors.unshift(...errors);
    if (options.json) await print(`${JSON.stringify({ collection, ...result })}\n`);
    else await report(result, collection, (performance.now() - started) / 1000, skipped);
    if (failed === sources.length)
      throw new LookalikeError('no-pictures', `none of the ${sources.length} files could be stored`);
    return EXIT.ok;
  } finally {
    cache.close();
  }
}

async function ingestByDeployment(
  location: string,
  options: IngestOptions,
  signal: AbortSignal,
): Promise<number> {
  const { collection, deployment = '', inventory, json } = options;
  for (const [name, value] of [
    ['--unless-similar', options.unlessSimilar],
    ['--prefix', options.prefix],
  ]) {
    if (value !== undefined)
      throw new LookalikeError('invalid-data', `${name} does not go with --deployment`);
  }
  const started = performance.now();
  const progress = new Progress({ label: 'Storing', total: 0, unit: 'objects', silentInPipe: json === true });
  const result = await ingestOnAws(location, {
    deployment,
    collection,
    signal,
    onProgress: ({ done, total }) => progress.update(done, total),
    ...(inventory === undefined ? {} : { inventory }),
  }).finally(() => progress.end());
  if (json) await print(`${JSON.stringify({ collection, ...result })}\n`);
  else await report(result, collection, (performance.now() - started) / 1000, '');
  return EXIT.ok;
}

async function report(
  result: IngestResult,
  collection: string,
  seconds: number,
  skipped: string,
): Promise<void> {
  const parts = [
    `${result.stored} stored in ${collection}`,
    ...(result.replaced ? [`${result.replaced} replaced others of the same path`] : []),
    `${result.unchanged} there already`,
    ...(result.similar.length > 0 ? [`${result.similar.length} left out as similar`] : []),
    ...(result.errors.length > 0 ? [`${result.errors.length} failed`] : []),
  ];
  await print(`${parts.join(', ')}; ${duration(seconds)}${skipped}.\n`);
  for (const { path, match, similarity } of result.similar)
    await print(`  ${printable(path)} is ${similarity.toFixed(4)} similar to ${printable(match)}\n`);
  for (const { path, error } of result.errors) note(`  ${printable(path)}: ${error}`);
}
