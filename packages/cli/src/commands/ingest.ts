import { Command, Option } from 'commander';
import { addConnectionOptions, type ConnectionOptions } from '../connection.ts';
import { interruptible } from '../interruption.ts';
import { collectionOption, jsonOption, similarityValue, wholeNumber } from '../option-values.ts';

export interface IngestOptions extends ConnectionOptions {
  collection: string;
  concurrency: number;
  prefix?: string;
  unlessSimilar?: number;
  deployment?: string;
  inventory?: string;
  json?: true;
}

export function ingestCommand(): Command {
  const command = new Command('ingest')
    .summary('store the pictures of a folder or bucket in a collection')
    .description(
      'Store the pictures of a folder (or s3://bucket/prefix) in a collection, each under its path in it. The collection is made if ' +
        'there is none. What is there already, unchanged, is not sent again: an interrupted run can just be repeated. Another picture under the ' +
        'same path is replaced and keeps its metadata; --prefix keeps the pictures of several folders apart.',
    )
    .argument('<folder>', 'where the pictures are: a folder and those below it, or s3://bucket/prefix')
    .addOption(collectionOption())
    .option('--prefix <text>', 'put before each path to make the id, as in --prefix 2024/')
    .option(
      '--unless-similar <number>',
      'leave out pictures that something in the collection is that similar to',
      similarityValue,
    )
    .option('--concurrency <number>', 'pictures under way at one time', wholeNumber(1, 64), 8)
    .addOption(
      new Option(
        '--deployment <name>',
        'of s3://…: let the deployment on AWS of that name ingest it, a distributed map over its functions',
      ).env('LOOKALIKE_DEPLOYMENT'),
    )
    .option(
      '--inventory <s3://…/manifest.json>',
      'with --deployment: take the keys from an S3 Inventory instead of listing the bucket',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ lookalike ingest ~/Pictures --collection photos
  $ lookalike ingest /media/card-2 --collection photos --prefix card-2/
  $ lookalike ingest s3://archive/2024/ --collection archive --deployment lookalike`,
    );
  return addConnectionOptions(command).action(async (folder: string, options: IngestOptions) => {
    process.exitCode = await interruptible(async (signal) => {
      const { ingest } = await import('./ingest-run.ts');
      return ingest(folder, options, signal);
    });
  });
}
