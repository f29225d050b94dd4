import { openAsBlob } from 'node:fs';
import { open } from 'node:fs/promises';
import { LookalikeApiError, type LookalikeClient } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';
import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { type CollectionHeader, readCollectionFile } from '../collection-file.ts';
import { addConnectionOptions, type ConnectionOptions, withClient } from '../connection.ts';
import { counted } from '../counted.ts';
import { interruptible } from '../interruption.ts';
import { jsonOption } from '../option-values.ts';
import { note, print } from '../output.ts';

interface ImportOptions extends ConnectionOptions {
  collection?: string;
  json?: true;
}

export function importCommand(): Command {
  const command = new Command('import')
    .summary('read a collection from a file')
    .description(
      'Store the items of a file that export made. The collection is made if there is none, with the same dimension, ' +
        'metric and encoder. An Arrow file does not say which encoder made its vectors: give --model, or a collection ' +
        'that is there. Importing twice changes nothing.',
    )
    .argument('<file>', 'the file, or - for standard input')
    .option('-c, --collection <name>', 'the collection (default: as it was called)')
    .addOption(jsonOption());
  return addConnectionOptions(command).action(async (file: string, options: ImportOptions) => {
    process.exitCode = await interruptible((signal) => importCollection(file, options, signal));
  });
}

async function importCollection(file: string, options: ImportOptions, signal: AbortSignal): Promise<number> {
  const { collection, stored, errors } = (await isArrow(file))
    ? await importArrow(file, options, signal)
    : await importLines(file, options, signal);
  if (options.json) await print(`${JSON.stringify({ collection, stored, errors })}\n`);
  else {
    await print(`${counted(stored, 'item')} stored in ${collection}.\n`);
    for (const { id, error } of errors) note(`  ${id}: ${error}`);
  }
  if (errors.length > 0) throw new LookalikeError('not-imported', 'not all items were stored');
  return EXIT.ok;
}

interface Imported {
  collection: string;
  stored: number;
  errors: { id: string; error: string }[];
}

/** An Arrow stream begins with a continuation marker, an Arrow file with its name. */
async function isArrow(file: string): Promise<boolean> {
  if (file === '-') return false;
  const handle = await open(file);
  try {
    if ((await handle.stat()).isDirectory())
      throw new LookalikeError(
        'invalid-export',
        `${file} is a folder, expected a file of "lookalike export"`,
      );
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    return head.startsWith('\xff\xff\xff\xff') || head === 'ARROW1';
  } finally {
    await handle.close();
  }
}

async function importArrow(file: string, options: ImportOptions, signal: AbortSignal): Promise<Imported> {
  const { collection, model } = options;
  if (collection === undefined)
    throw new LookalikeError(
      'no-collection',
      `${file} is an Arrow file, which names no collection: give --collection`,
    );
  const work = async (client: LookalikeClient): Promise<Imported> => {
    if (model !== undefined) await client.createCollection(collection, { model }, { signal });
    const { stored, refused } = await client
      .importArrow(collection, await openAsBlob(file), { signal })
      .catch((error: unknown) => {
        if (!(error instanceof LookalikeApiError) || error.code !== 'unknown-collection') throw error;
        throw new LookalikeError(
          error.code,
          `${error.message}, and an Arrow file does not say what made its vectors: give --model`,
        );
      });
    const errors = refused.map(({ id, error }) => ({ id, error: error?.message ?? 'refused' }));
    return { collection, stored, errors };
  };
  return withClient(options, work, { creates: true });
}

async function importLines(file: string, options: ImportOptions, signal: AbortSignal): Promise<Imported> {
  const { header, items } = await readCollectionFile(file);
  const { encoder, dimension, metric, hnsw } = header.collection;
  const collection = options.collection ?? header.collection.name;
  let stored = 0;
  const errors: { id: string; error: string }[] = [];
  const work = async (client: LookalikeClient) => {
    await client.createCollection(collection, configOf({ encoder, dimension, metric, hnsw }), { signal });
    for await (const line of client.ingest(collection, items, {
      signal,
      ...(encoder && { encoder: encoder.hash }),
    })) {
      stored += line.stored;
      for (const { id, status, error } of line.results)
        if (status === 'invalid') errors.push({ id, error: error?.message ?? 'refused' });
    }
  };
  await withClient(options, work, { creates: true });
  return { collection, stored, errors };
}

function configOf({
  encoder,
  dimension,
  metric,
  hnsw,
}: Pick<CollectionHeader['collection'], 'encoder' | 'dimension' | 'metric' | 'hnsw'>) {
  return encoder ? { model: encoder.name, hnsw } : { dimension, metric, hnsw };
}
