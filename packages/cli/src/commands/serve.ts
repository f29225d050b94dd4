import { Command, Option } from 'commander';
import { dataOption } from '../data-folder.ts';
import { interruptible } from '../interruption.ts';
import { modelOption, wholeNumber } from '../option-values.ts';

export interface ServeOptions {
  data: string;
  host: string;
  port: number;
  model?: string;
  keys?: string;
  corsOrigin?: string[];
}

export function serveCommand(): Command {
  return new Command('serve')
    .summary('serve the HTTP API and the web page')
    .description('Serve the HTTP API and the web page over a data folder.')
    .addOption(dataOption())
    .addOption(
      new Option('-p, --port <number>', 'the port to listen on; 0 takes a free one')
        .env('LOOKALIKE_PORT')
        .default(8787)
        .argParser(wholeNumber(0, 65535)),
    )
    .addOption(
      new Option('--host <address>', 'the address to listen on; beyond this machine it needs --keys')
        .env('LOOKALIKE_HOST')
        .default('127.0.0.1'),
    )
    .addOption(modelOption())
    .addOption(
      new Option('--keys <file>', 'JSON file of the keys that are let in').env('LOOKALIKE_KEYS_FILE'),
    )
    .option('--cors-origin <origin...>', 'pages of these origins may use the API from a browser')
    .action(async (options: ServeOptions) => {
      process.exitCode = await interruptible(async (signal) => {
        const { runServer } = await import('./serve-run.ts');
        return runServer(options, signal);
      });
    });
}
