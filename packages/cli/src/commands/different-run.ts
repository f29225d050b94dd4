import { resolve } from 'node:path';
import { LookalikeError } from '@lookalike/store';
import { EXIT } from '../cli-error.ts';
import { print } from '../output.ts';
import { readPicture, sha256 } from '../picture-scan.ts';
import { addVerdict, type Verdict, verdictsFile } from '../verdicts.ts';
import type { DifferentOptions } from './different.ts';

export async function different(pathA: string, pathB: string, options: DifferentOptions): Promise<number> {
  const [a, b] = (await Promise.all([pathA, pathB].map(async (path) => sha256(await readPicture(path))))) as [
    string,
    string,
  ];
  if (a === b)
    throw new LookalikeError(
      'same-bytes',
      `${pathA} and ${pathB} are the same, byte for byte: they cannot be different pictures`,
    );
  const verdict: Verdict = {
    a,
    b,
    different: options.undo !== true,
    paths: [resolve(pathA), resolve(pathB)],
  };
  await addVerdict(verdict);
  await print(
    options.json
      ? `${JSON.stringify(verdict)}\n`
      : `${options.undo ? 'Forgotten' : 'Remembered: they will not be put in one group'} (${verdictsFile()}).\n`,
  );
  return EXIT.ok;
}
