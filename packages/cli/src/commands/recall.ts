import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { addConnectionOptions, type ConnectionOptions, withClient } from '../connection.ts';
import { interruptible } from '../interruption.ts';
import { collectionOption, jsonOption, wholeNumber } from '../option-values.ts';
import { print } from '../output.ts';

interface RecallOptions extends ConnectionOptions {
  collection: string;
  sample: number;
  k: number;
  ef?: number;
  json?: true;
}

export function recallCommand(): Command {
  const command = new Command('recall')
    .summary('measure how much of the true answer queries find')
    .description(
      'Measure how much of the true answer the index finds: queries of a sample of items against exact search.',
    )
    .addOption(collectionOption())
    .option('--sample <number>', 'how many items to query with', wholeNumber(1, 10_000), 100)
    .option('-k, --k <number>', 'neighbours a query', wholeNumber(1, 1000), 10)
    .option(
      '--ef <number>',
      'candidates of the graph search (default: as queries have)',
      wholeNumber(1, 10_000),
    )
    .addOption(jsonOption());
  return addConnectionOptions(command).action(async (options: RecallOptions) => {
    process.exitCode = await interruptible((signal) => recall(options, signal));
  });
}

async function recall(options: RecallOptions, signal: AbortSignal): Promise<number> {
  const { collection, sample, k, ef } = options;
  const report = await withClient(options, (client) =>
    client.recall(collection, { sample, k, ...(ef !== undefined && { ef }) }, { signal }),
  );
  if (options.json) await print(`${JSON.stringify(report)}\n`);
  else
    await print(
      `recall@${report.k} ${report.recall.toFixed(4)} over ${report.sample} queries at ef ${report.ef}; ` +
        `${report.milliseconds.approximate.toFixed(1)} ms, exact search ${report.milliseconds.exact.toFixed(1)} ms\n`,
    );
  return EXIT.ok;
}
