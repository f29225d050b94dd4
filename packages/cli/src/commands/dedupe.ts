import { Command, Option } from 'commander';
import { interruptible } from '../interruption.ts';
import { jsonOption, modelOption, shareValue, similarityValue } from '../option-values.ts';

export interface DedupeOptions {
  minSimilarity?: number;
  minPrecision?: number;
  against?: string;
  rotations?: true;
  perceptualHash?: boolean;
  model?: string;
  json?: true;
  csv?: true;
  html?: string;
  delete?: true;
}

export function dedupeCommand(): Command {
  return new Command('dedupe')
    .summary('find duplicate and near-duplicate pictures in a folder')
    .description(
      'Find duplicate and near-duplicate pictures in a folder, and propose which to keep. ' +
        'Works without a server. Nothing is moved or deleted unless --delete is given and confirmed.',
    )
    .argument('<folder>', 'where the pictures are; folders below it are included')
    .addOption(
      new Option(
        '-s, --min-similarity <number>',
        'how alike two pictures of a group are at least, above 0 to 1 (default: as calibrated for the model)',
      )
        .argParser(similarityValue)
        .conflicts('minPrecision'),
    )
    .option(
      '-p, --min-precision <share>',
      'instead: choose the similarity so that this share of the pairs found is right, as estimated, such as 0.99',
      shareValue,
    )
    .option(
      '--against <folder>',
      'find what of <folder> is in this other folder already; it is never touched',
    )
    .option(
      '--rotations',
      'also find mirrored and rotated copies, and say how they are; takes 8 times as long',
    )
    .option(
      '--perceptual-hash',
      'pictures whose perceptual hashes agree are pairs whatever their similarity (default: unless --min-similarity is given)',
    )
    .option('--no-perceptual-hash', 'only the similarity counts')
    .addOption(modelOption())
    .addOption(jsonOption().conflicts('csv'))
    .option('--csv', 'print the groups as CSV')
    .option('--html <file>', 'also write a report with thumbnails, one self-contained page')
    .addOption(
      new Option('--delete', 'after showing the groups, ask, and then delete all but the kept files'),
    )
    .addHelpText(
      'after',
      `
Exit status: 0 groups were found, 1 none were found, 2 it could not be done.

Examples:
  $ lookalike dedupe ~/Pictures
  $ lookalike dedupe ~/Pictures --html report.html
  $ lookalike dedupe ~/Downloads --against ~/Pictures --delete
  $ lookalike dedupe ~/Pictures --json | jq -r '.groups[].keep'

Two pictures that should not be in one group: lookalike different <a> <b>`,
    )
    .action(async (folder: string, options: DedupeOptions) => {
      process.exitCode = await interruptible(async (signal) => {
        const { dedupe } = await import('./dedupe-run.ts');
        return dedupe(folder, options, signal);
      });
    });
}
