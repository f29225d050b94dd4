import { Command } from 'commander';
import { jsonOption } from '../option-values.ts';

export interface DifferentOptions {
  undo?: true;
  json?: true;
}

export function differentCommand(): Command {
  return new Command('different')
    .summary('remember that two pictures are not duplicates')
    .description(
      'Remember that two pictures are different, so that dedupe never puts them in one group again. ' +
        'It goes by what is in the files: moving or renaming them changes nothing.',
    )
    .argument('<a>', 'a picture file')
    .argument('<b>', 'another one')
    .option('--undo', 'forget it')
    .addOption(jsonOption())
    .action(async (a: string, b: string, options: DifferentOptions) => {
      const { different } = await import('./different-run.ts');
      process.exitCode = await different(a, b, options);
    });
}
