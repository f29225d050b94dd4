import { Command, Option } from 'commander';
import { EXIT } from '../cli-error.ts';
import { DEFAULT_URL } from '../connection.ts';
import { Examination, type Finding } from '../doctor/examination.ts';
import { interruptible } from '../interruption.ts';
import { jsonOption } from '../option-values.ts';
import { print, stdoutHasColor } from '../output.ts';

interface DoctorOptions {
  key?: string;
  readOnly?: true;
  json?: true;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('check a server, a deployment on AWS, or a data folder')
    .description(
      'Check a deployment from outside: is it reachable, of this version, closed to strangers, does it encode, write, find and delete, does ' +
        'the indexer keep up? Of a data folder or bucket: does it keep what the log relies on? It writes only to a collection of ' +
        'its own, which it drops.',
    )
    .argument(
      '[url or folder]',
      `a server, a data folder, or s3://bucket/prefix (default: LOOKALIKE_URL, or ${DEFAULT_URL})`,
    )
    .addOption(
      new Option('--key <key>', 'a key of the server; better given in the environment').env('LOOKALIKE_KEY'),
    )
    .option('--read-only', 'write nothing: no collection of its own, nothing to the store')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Exit status: 0 all is well, warnings included; 1 a check failed; 2 it could not be reached.

Examples:
  $ lookalike doctor https://….lambda-url.eu-central-1.on.aws
  $ lookalike doctor ./lookalike-data
  $ lookalike doctor s3://my-collections --read-only`,
    )
    .action(async (target: string | undefined, options: DoctorOptions) => {
      process.exitCode = await interruptible((signal) =>
        examine(target ?? process.env.LOOKALIKE_URL ?? DEFAULT_URL, options, signal),
      );
    });
}

async function examine(target: string, options: DoctorOptions, signal: AbortSignal): Promise<number> {
  const { key, json } = options;
  const readOnly = options.readOnly === true;
  const examination = new Examination(signal, (finding) => {
    if (!json) process.stdout.write(line(finding));
  });
  // Loaded for what is looked at: the engine is most of what there is to load.
  const reached = /^https?:\/\//.test(target)
    ? await (await import('../doctor/examine-server.ts')).examineServer(examination, target, {
        readOnly,
        ...(key === undefined ? {} : { key }),
      })
    : await (await import('../doctor/examine-store.ts')).examineStore(examination, target, { readOnly });
  const { verdict, findings } = examination;
  if (json) await print(`${JSON.stringify({ target, status: verdict, checks: findings })}\n`);
  else await print(`${summary(findings)}\n`);
  if (!reached) return EXIT.error;
  return verdict === 'failed' ? EXIT.nothing : EXIT.ok;
}

const colors = { ok: 32, warning: 33, failed: 31, skipped: 2 } as const;

function line({ check, status, detail }: Finding): string {
  const shown = status.padEnd(8);
  const painted = stdoutHasColor() ? `\x1b[${colors[status]}m${shown}\x1b[0m` : shown;
  return `${painted} ${check.padEnd(14)} ${detail.replaceAll('\n', ' ')}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const parts = (['ok', 'warning', 'failed', 'skipped'] as const).map(
    (status) => [count(status), status] as const,
  );
  return parts
    .filter(([number]) => number > 0)
    .map(([number, status]) => `${number} ${status}`)
    .join(', ');
}
