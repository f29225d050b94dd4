import { LookalikeError } from '@lookalike/store';
import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { addConnectionOptions, type ConnectionOptions, withClient } from '../connection.ts';
import { printable } from '../duplicate-table.ts';
import { type IngestResult, ingestPictures } from '../ingest-pictures.ts';
import { ingestSources } from '../ingest-sources.ts';
import { interruptible } from '../interruption.ts';
import { collectionOption, jsonOption, similarityValue, wholeNumber } from '../option-values.ts';
import { note, print } from '../output.ts';
import { PictureCache } from '../picture-cache.ts';
import { duration, Progress } from '../progress.ts';
import { cacheFolder } from '../user-folders.ts';

interface IngestOptions extends ConnectionOptions {
  collection: string;
  concurrency: number;
  unlessSimilar?: number;
  json?: true;
}

export function ingestCommand(): Command {
  const command = new Command('ingest')
    .summary('store the pictures of a folder or bucket in a collection')
    .description(
      'Store the pictures of a folder (or s3://bucket/prefix) in a collection, each under its path in it. The collection is made if ' +
        'there is none. What is there already, unchanged, is not sent again: an interrupted run can just be repeated.',
    )
    .argument('<folder>', 'where the pictures are: a folder and those below it, or s3://bucket/prefix')
    .addOption(collectionOption())
    .option(
      '--unless-similar <number>',
      'leave out pictures that something in the collection is that similar to',
      similarityValue,
    )
    .option('--concurrency <number>', 'pictures under way at one time', wholeNumber(1, 64), 8)
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ lookalike ingest ~/Pictures --collection photos');
  return addConnectionOptions(command).action(async (folder: string, options: IngestOptions) => {
    process.exitCode = await interruptible((signal) => ingest(folder, options, signal));
  });
}

async function ingest(folder: string, options: IngestOptions, signal: AbortSignal): Promise<number> {
  const { collection } = options;
  const cache = PictureCache.open(cacheFolder());
  try {
    const { sources, skipped } = await ingestSources(folder, cache);
    const started = performance.now();
    const result = await withClient(options, async (client) => {
      await client.createCollection(collection, options.model ? { model: options.model } : {}, { signal });
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
        ...(options.unlessSimilar !== undefined && { unlessSimilar: options.unlessSimilar }),
      }).finally(() => progress.end());
    });
    if (options.json) await print(`${JSON.stringify({ collection, ...result })}\n`);
    else await report(result, collection, (performance.now() - started) / 1000, skipped);
    if (result.errors.length === sources.length)
      throw new LookalikeError('no-pictures', `none of the ${sources.length} files could be stored`);
    return EXIT.ok;
  } finally {
    cache.close();
  }
}

async function report(
  result: IngestResult,
  collection: string,
  seconds: number,
  skipped: string,
): Promise<void> {
  const parts = [
    `${result.stored} stored in ${collection}`,
    `${result.unchanged} there already`,
    ...(result.similar.length > 0 ? [`${result.similar.length} left out as similar`] : []),
    ...(result.errors.length > 0 ? [`${result.errors.length} failed`] : []),
  ];
  await print(`${parts.join(', ')}; ${duration(seconds)}${skipped}.\n`);
  for (const { path, match, similarity } of result.similar)
    await print(`  ${printable(path)} is ${similarity.toFixed(4)} similar to ${printable(match)}\n`);
  for (const { path, error } of result.errors) note(`  ${printable(path)}: ${error}`);
}
