import { Command } from 'commander';
import { byteSize } from '../byte-size.ts';
import { EXIT } from '../cli-error.ts';
import { counted } from '../counted.ts';
import { type DataOptions, dataOption, withEngine } from '../data-folder.ts';
import { collectionOption, jsonOption } from '../option-values.ts';
import { print } from '../output.ts';

interface VerifyOptions extends DataOptions {
  collection: string;
  json?: true;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .summary('read every object of a collection and prove that nothing is lost')
    .description(
      'Read every object of a collection, check it against its checksum, and count the items from the objects themselves.',
    )
    .addOption(collectionOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 all is well, 1 something is damaged, 2 it could not be done.')
    .action(async (options: VerifyOptions) => {
      const report = await withEngine(options, async (engine) => {
        await engine.collection(options.collection);
        return engine.verify(options.collection);
      });
      if (options.json) await print(`${JSON.stringify(report)}\n`);
      else {
        const { items, objects, bytes, damaged, version } = report;
        await print(
          `${counted(items, 'item')} at version ${version}, ${counted(objects, 'object')} of ${byteSize(bytes)}: ` +
            `${damaged.length === 0 ? 'all is well' : `${damaged.length} damaged`}.\n`,
        );
        for (const { key, problem, repairable } of damaged)
          await print(
            `  ${problem.startsWith(key) ? problem : `${key}: ${problem}`}${repairable ? '; "lookalike compact --rebuild" makes it anew' : ''}\n`,
          );
      }
      process.exitCode = report.damaged.length === 0 ? EXIT.ok : EXIT.nothing;
    });
}
