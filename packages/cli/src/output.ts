import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Writes to standard output and waits where the reader is slow. A reader that went away (`| head`) ends the work quietly. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** For a person, beside the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `color` where standard output is a terminal that wants it. */
export function stdoutHasColor(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors();
}

/** Writes a file beside its place and then moves it there, so that an interrupted run leaves no half file. */
export async function writeWholeFile(
  path: string,
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(chunks, createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
