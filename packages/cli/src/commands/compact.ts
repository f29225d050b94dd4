import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { counted } from '../counted.ts';
import { type DataOptions, dataOption, withEngine } from '../data-folder.ts';
import { collectionOption, jsonOption } from '../option-values.ts';
import { print } from '../output.ts';

interface CompactOptions extends DataOptions {
  collection: string;
  full?: true;
  rebuild?: true;
  json?: true;
}

export function compactCommand(): Command {
  return new Command('compact')
    .summary('tidy the files of a collection')
    .description(
      'Put what was written lately into segments, merge small ones, and remove files that nothing needs any more. ' +
        'A server does this by itself; it may run meanwhile.',
    )
    .addOption(collectionOption())
    .option('--full', 'merge everything, so that no deleted item keeps its bytes')
    .option('--rebuild', 'make graphs and codes anew from the rows')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (options: CompactOptions) => {
      const { collection, full = false, rebuild = false } = options;
      const [stats, deleted] = await withEngine(options, async (engine, objects) => {
        const { sweepDerived } = await import('@lookalike/api');
        const opened = await engine.collection(collection);
        await engine.compact(collection, { full, rebuild });
        const garbage = await engine.collectGarbage(collection);
        const derived = await sweepDerived(opened, objects);
        return [await opened.stats(), garbage.deleted + derived.deleted] as const;
      });
      const { items, segments, deletedRows } = stats;
      if (options.json)
        await print(`${JSON.stringify({ items, segments, deletedRows, objectsRemoved: deleted })}\n`);
      else
        await print(
          `${counted(items, 'item')} in ${counted(segments, 'segment')}, ${counted(deletedRows, 'deleted row')} left; ${counted(deleted, 'object')} removed.\n`,
        );
      process.exitCode = EXIT.ok;
    });
}
