import { Command } from 'commander';
import { interruptible } from '../interruption.ts';
import { jsonOption, modelOption, similarityValue } from '../option-values.ts';

export interface CompareOptions {
  model?: string;
  threshold?: number;
  json?: true;
}

export function compareCommand(): Command {
  return new Command('compare')
    .summary('tell how alike two pictures are')
    .description(
      'Tell how alike two picture files are, and whether they count as the same. Works without a server.',
    )
    .argument('<a>', 'a picture file')
    .argument('<b>', 'another one')
    .option(
      '-t, --threshold <number>',
      'the similarity from which they count as the same (default: as calibrated for the model)',
      similarityValue,
    )
    .addOption(modelOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 the same, 1 they differ, 2 it could not be done.')
    .action(async (a: string, b: string, options: CompareOptions) => {
      process.exitCode = await interruptible(async (signal) => {
        const { compare } = await import('./compare-run.ts');
        return compare(a, b, options, signal);
      });
    });
}
