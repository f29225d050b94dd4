import { CommanderError } from 'commander';
import { EXIT, errorText } from './cli-error.ts';
import { applyConfigFile, ignoreEmptyVariables } from './config-file.ts';
import { Interrupted } from './interruption.ts';
import { createProgram } from './program.ts';

// A reader that went away (`lookalike … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

try {
  const program = createProgram();
  ignoreEmptyVariables(program);
  applyConfigFile(program);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end with 0; commander has said what was wrong of anything else.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.error;
  } else if (error instanceof Interrupted) {
    process.stderr.write('Stopped. What was done is kept; the same command goes on from there.\n');
    process.exitCode = error.exitStatus;
  } else {
    process.stderr.write(`lookalike: ${errorText(error)}\n`);
    process.exitCode = EXIT.error;
  }
}
