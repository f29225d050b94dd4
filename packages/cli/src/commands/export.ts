import type { LookalikeClient } from '@lookalike/client';
import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { headerLine, itemLine } from '../collection-file.ts';
import { addConnectionOptions, type ConnectionOptions, withClient } from '../connection.ts';
import { counted } from '../counted.ts';
import { interruptible } from '../interruption.ts';
import { collectionOption } from '../option-values.ts';
import { note, print, writeWholeFile } from '../output.ts';
import { Progress } from '../progress.ts';

interface ExportOptions extends ConnectionOptions {
  collection: string;
  output?: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .summary('write a collection to a file')
    .description(
      'Write the items of a collection, vectors and metadata: as lines of JSON that say which encoder made them, or, ' +
        'to a file ending in .arrows, as an Apache Arrow stream for other tools. import reads both.',
    )
    .addOption(collectionOption())
    .option('-o, --output <file>', 'the file (default: standard output)');
  return addConnectionOptions(command).action(async (options: ExportOptions) => {
    process.exitCode = await interruptible((signal) => exportCollection(options, signal));
  });
}

async function exportCollection(options: ExportOptions, signal: AbortSignal): Promise<number> {
  const { collection, output } = options;
  await withClient(options, async (client) => {
    const { count } = await client.count(collection, undefined, { signal });
    if (output?.endsWith('.arrows'))
      await writeWholeFile(output, await client.exportArrow(collection, { signal }));
    else await exportLines(client, options, count, signal);
    if (output !== undefined) note(`${counted(count, 'item')} of ${collection} in ${output}.`);
  });
  return EXIT.ok;
}

async function exportLines(
  client: LookalikeClient,
  { collection, output }: ExportOptions,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  const described = await client.getCollection(collection, { signal });
  const progress = new Progress({ label: 'Exporting', total: count, unit: 'items' });
  const lines = async function* () {
    yield headerLine(described);
    let done = 0;
    const items = client.listItems(collection, { include: ['metadata', 'vector'], pageSize: 500, signal });
    for await (const item of items) {
      yield itemLine(item);
      progress.update(++done);
    }
  };
  try {
    if (output === undefined) for await (const line of lines()) await print(line);
    else await writeWholeFile(output, lines());
  } finally {
    progress.end();
  }
}
