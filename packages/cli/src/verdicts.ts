import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LookalikeError } from '@lookalike/store';
import { configFolder } from './user-folders.ts';

/** One line of the file of verdicts: two pictures, by the SHA-256 of their bytes, differ; or no longer do. */
export interface Verdict {
  a: string;
  b: string;
  different: boolean;
  /** As they were called at the time, for a person who reads the file. */
  paths: [string, string];
}

/** Verdicts outlive files being moved or renamed: they go by content. */
export const verdictsFile = () => join(configFolder(), 'verdicts.jsonl');

export async function addVerdict(verdict: Verdict, file = verdictsFile()): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(verdict)}\n`);
}

/**
 * Whether a person said that two contents are different pictures; the last word counts.
 * @throws LookalikeError `invalid-verdicts` naming the line that cannot be read.
 */
export async function readVerdicts(file = verdictsFile()): Promise<(a: string, b: string) => boolean> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const parted = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const { a, b, different } = parsed(line, `${file}:${index + 1}`);
    if (different) parted.add(pairKey(a, b));
    else parted.delete(pairKey(a, b));
  }
  return (a, b) => parted.has(pairKey(a, b));
}

function parsed(line: string, place: string): Pick<Verdict, 'a' | 'b' | 'different'> {
  try {
    const { a, b, different } = JSON.parse(line) as Partial<Verdict>;
    if (typeof a === 'string' && typeof b === 'string' && typeof different === 'boolean')
      return { a, b, different };
  } catch {
    // Said below.
  }
  throw new LookalikeError(
    'invalid-verdicts',
    `${place}: expected {"a": "<sha256>", "b": "<sha256>", "different": true}`,
  );
}

function pairKey(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
