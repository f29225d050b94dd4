import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { compactCommand } from './commands/compact.ts';
import { compareCommand } from './commands/compare.ts';
import { completionCommand } from './commands/completion.ts';
import { dedupeCommand } from './commands/dedupe.ts';
import { differentCommand } from './commands/different.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { identifyCommand } from './commands/identify.ts';
import { importCommand } from './commands/import.ts';
import { ingestCommand } from './commands/ingest.ts';
import { modelsCommand } from './commands/models.ts';
import { queryCommand } from './commands/query.ts';
import { recallCommand } from './commands/recall.ts';
import { serveCommand } from './commands/serve.ts';
import { trackCommand } from './commands/track.ts';
import { verifyCommand } from './commands/verify.ts';

/** The whole command line. Usage errors throw `CommanderError`. */
export function createProgram(): Command {
  const program = new Command('lookalike')
    .description('Find the same and nearly the same pictures: in a folder, or through a server of your own.')
    .version(packageJson.version, '-V, --version')
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText(
      'after',
      `
Exit status: 0 done, 1 nothing found or the pictures differ, 2 error.

Start here:
  $ lookalike dedupe ~/Pictures           find duplicates in a folder
  $ lookalike compare a.jpg b.jpg         how alike are two pictures?
  $ lookalike serve                       a server with an HTTP API and a web page`,
    );
  const groups = {
    'Pictures in folders:': [dedupeCommand(), compareCommand(), differentCommand()],
    'Films:': [trackCommand()],
    'Collections:': [serveCommand(), ingestCommand(), queryCommand(), identifyCommand(), recallCommand()],
    'Upkeep of collections:': [
      exportCommand(),
      importCommand(),
      compactCommand(),
      verifyCommand(),
      doctorCommand(),
    ],
    'More:': [modelsCommand(), completionCommand()],
  };
  for (const [heading, commands] of Object.entries(groups))
    for (const command of commands)
      program.addCommand(command.copyInheritedSettings(program).helpGroup(heading));
  program.commandsGroup('More:').helpCommand('help [command]', 'what a command does');
  // After copying settings, so that every command throws and none ends the process.
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}
